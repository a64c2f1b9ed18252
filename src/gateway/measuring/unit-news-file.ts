import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import type { UnitNews } from './unit-counts.ts';
import { numbersPerOutcome } from './unit-outcomes.ts';

// A file of news of units, in the order in which they came. Each batch is two lengths (bytes of a head of JSON, outcomes), the head with what
// came up for the first time, and the outcomes. It is not synced: it has to outlive processes. One that was cut short tells what is whole.

const lengthsSize = 8;
const outcomeSize = 24;

interface Head {
  readonly draws: UnitNews['draws'];
  readonly categoryNames: UnitNews['categoryNames'];
}

/** At most 50 MB for the most that is heard of units, and less than 1 KB for each draw. Throws what the file system throws. */
export function appendUnitNews(path: string, { draws, categoryNames, outcomes }: UnitNews): void {
  const head = Buffer.from(JSON.stringify({ draws, categoryNames } satisfies Head));
  const count = outcomes.length / numbersPerOutcome;
  const batch = Buffer.allocUnsafe(lengthsSize + head.length + count * outcomeSize);
  batch.writeUInt32LE(head.length, 0);
  batch.writeUInt32LE(count, 4);
  head.copy(batch, lengthsSize);
  for (let index = 0; index < count; index += 1) {
    const from = index * numbersPerOutcome;
    const to = lengthsSize + head.length + index * outcomeSize;
    batch.writeDoubleLE(outcomes[from] as number, to);
    batch.writeDoubleLE(outcomes[from + 2] as number, to + 8);
    batch.writeUInt32LE(outcomes[from + 3] as number, to + 16);
    batch.writeUInt16LE(outcomes[from + 1] as number, to + 20);
    batch.writeInt16LE(outcomes[from + 4] as number, to + 22);
  }
  appendFileSync(path, batch, { mode: 0o600 });
}

/** Empty when there is none. What is not whole at its end is cut off, so that it can be gone on with. Throws what the file system throws. */
export function readUnitNews(path: string): readonly UnitNews[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const found: UnitNews[] = [];
  let at = 0;
  for (let batch = batchAt(bytes, at); batch !== undefined; batch = batchAt(bytes, at)) {
    found.push(batch.news);
    at = batch.end;
  }
  if (at < bytes.length) truncateSync(path, at);
  return found;
}

function batchAt(bytes: Buffer, at: number): { readonly news: UnitNews; readonly end: number } | undefined {
  if (at + lengthsSize > bytes.length) return undefined;
  const first = at + lengthsSize + bytes.readUInt32LE(at);
  const end = first + bytes.readUInt32LE(at + 4) * outcomeSize;
  if (end > bytes.length) return undefined;
  const head = headIn(bytes.subarray(at + lengthsSize, first));
  if (head === undefined) return undefined;
  const outcomes: number[] = [];
  for (let from = first; from < end; from += outcomeSize) {
    outcomes.push(
      bytes.readDoubleLE(from),
      bytes.readUInt16LE(from + 20),
      bytes.readDoubleLE(from + 8),
      bytes.readUInt32LE(from + 16),
      bytes.readInt16LE(from + 22),
    );
  }
  return { news: { ...head, outcomes }, end };
}

function headIn(bytes: Buffer): Head | undefined {
  try {
    return JSON.parse(bytes.toString('utf8')) as Head;
  } catch {
    return undefined;
  }
}
