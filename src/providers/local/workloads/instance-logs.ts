import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { systemClock, type Clock } from '../../../effects/clock.ts';

/**
 * Logs of an instance: `<file>` holds the newest lines, `<file>.1` the ones before it, and so on. The instance appends to `<file>`
 * itself; the rotator copies it to `<file>.1` and empties it.
 */
const chunkBytes = 64 * 1024;
const followIntervalMs = 150;
const newline = 10;

/** The file and its rotated predecessors, newest first; only those that exist. */
export async function logFilesOf(file: string): Promise<readonly string[]> {
  const name = basename(file);
  const siblings = await readdir(dirname(file)).catch(() => []);
  const numbers = siblings.flatMap((sibling) => {
    if (sibling === name) return [0];
    const suffix = sibling.startsWith(`${name}.`) ? sibling.slice(name.length + 1) : '';
    return /^[1-9]\d*$/.test(suffix) ? [Number(suffix)] : [];
  });
  return numbers.toSorted((left, right) => left - right).map((number) => (number === 0 ? file : `${file}.${number}`));
}

/** The last `tail` lines, oldest first, rotated files included. Empty when there is no log. */
export async function readLogs(file: string, { tail }: { readonly tail: number }): Promise<readonly string[]> {
  let lines: readonly string[] = [];
  for (const path of await logFilesOf(file)) {
    if (lines.length >= tail) break;
    lines = [...linesOf(await lastBytes(path, tail - lines.length, await sizeOf(path))), ...lines].slice(-tail);
  }
  return lines;
}

/**
 * The last `tail` lines (0 by default), then every new one as it is written, across rotation, until the signal is aborted. Waits for a
 * file that does not exist yet. A line is given once it is complete.
 */
export async function* followLogs(
  file: string,
  options: { readonly signal: AbortSignal; readonly tail?: number; readonly clock?: Clock },
): AsyncGenerator<string, void, undefined> {
  const { signal, tail = 0, clock = systemClock } = options;
  let offset = await sizeOf(file);
  const written = await lastBytes(file, tail, offset);
  let rest = written.subarray(written.lastIndexOf(newline) + 1);
  const complete = linesOf(written.subarray(0, written.length - rest.length)).slice(-tail);
  const earlier = tail > complete.length ? await rotatedLines(file, tail - complete.length) : [];
  if (tail > 0) yield* [...earlier, ...complete];
  while (!signal.aborted) {
    const parts = [rest];
    if ((await sizeOf(file)) < offset) {
      parts.push(await bytesOf(`${file}.1`, offset, await sizeOf(`${file}.1`)));
      offset = 0;
    }
    const fresh = await bytesOf(file, offset, await sizeOf(file));
    offset += fresh.length;
    const bytes = Buffer.concat([...parts, fresh]);
    const end = bytes.lastIndexOf(newline) + 1;
    rest = bytes.subarray(end);
    yield* linesOf(bytes.subarray(0, end));
    await clock.sleep(followIntervalMs, signal).catch(() => undefined);
  }
}

async function rotatedLines(file: string, count: number): Promise<readonly string[]> {
  const previous = `${file}.1`;
  return linesOf(await lastBytes(previous, count, await sizeOf(previous))).slice(-count);
}

function linesOf(bytes: Buffer): readonly string[] {
  if (bytes.length === 0) return [];
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The end of the file's first `size` bytes: enough for `lines` complete lines, and the incomplete one after them. */
async function lastBytes(path: string, lines: number, size: number): Promise<Buffer> {
  let start = size;
  let bytes = Buffer.alloc(0);
  while (start > 0 && newlinesIn(bytes) <= lines) {
    const from = Math.max(0, start - chunkBytes);
    bytes = Buffer.concat([await bytesOf(path, from, start), bytes]);
    start = from;
  }
  let cut = bytes.length;
  for (let found = 0; cut > 0; cut -= 1) {
    if (bytes[cut - 1] === newline && (found += 1) > lines) break;
  }
  return bytes.subarray(cut);
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === newline) count += 1;
  return count;
}

async function bytesOf(path: string, from: number, to: number): Promise<Buffer> {
  if (to <= from) return Buffer.alloc(0);
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return Buffer.alloc(0);
  try {
    const buffer = Buffer.alloc(to - from);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
