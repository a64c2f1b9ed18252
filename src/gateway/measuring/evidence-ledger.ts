import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { GatewayLog } from '../log.ts';
import { type EvidenceCounts, evidenceKey } from './counts.ts';
import { counts } from './counts-schema.ts';
import type { UnitNews } from './unit-counts.ts';
import { numbersPerOutcome } from './unit-outcomes.ts';
import { appendUnitNews, readUnitNews } from './unit-news-file.ts';

/** What a gateway process leaves of evidence to the one that comes after it, however it ends. */
export interface EvidenceLedger {
  /** What the processes before have left. Read once, before anything is written. */
  read(): LeftEvidence | undefined;
  /** What has told something new of units, as it is counted. */
  heard(of: EvidenceCounts, news: UnitNews): void;
  /** All else, before anybody is told of it. Forgets units of what is not among `units`. */
  write(state: EvidenceState): void;
  /** Whether units of it were heard by a process before, of which `read` did not tell. */
  hasForgotten(of: EvidenceCounts): boolean;
}

export interface LeftEvidence extends Omit<EvidenceState, 'units'> {
  readonly units: readonly { readonly of: EvidenceCounts; readonly news: readonly UnitNews[]; readonly isWhole: boolean }[];
}

const evidence = counts.shape.evidence;
const state = z.object({
  /** Counts of one epoch only grow. */
  epoch: z.string(),
  /** By worker: what it has told since it began, and the number of its last batch of outcomes. */
  told: z.array(z.object({ worker: z.string(), batch: z.number(), evidence })).readonly(),
  gone: evidence,
  units: z.array(z.object({ of: evidence.unwrap().element, heard: z.number() })).readonly(),
});
type EvidenceState = z.infer<typeof state>;

/**
 * Two kinds of file in `folder`: `state.json`, replaced whole, and for each evidence with units what was heard of them, appended. Writes at once:
 * what has been told to anybody is in the files. Nothing is synced: a machine that stops may lose the last moments, and that shows.
 */
export function createEvidenceLedger(folder: string, log: Pick<GatewayLog, 'error'>): EvidenceLedger {
  const path = join(folder, 'state.json');
  const fileOf = (of: EvidenceCounts): string =>
    join(folder, `${createHash('sha256').update(evidenceKey(of)).digest('hex').slice(0, 32)}.units`);
  const mine = new Set<string>();
  const forgotten = new Set<string>();
  let written = '';
  let isFailing = false;
  let isBlind = false;

  /** What cannot be written is missed by the next process, which is then in doubt: evidence here goes on. */
  const attempt = (act: () => void): void => {
    try {
      act();
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.error({ reason: String(error) }, 'evidence cannot be kept for the next process');
      isFailing = true;
    }
  };

  /** Not where the gateway's own folder is gone. */
  const makeFolder = (): void => {
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  };

  return {
    read: () => {
      let left: LeftEvidence | undefined;
      attempt(() => {
        // Until it is known what there is, all may be forgotten.
        isBlind = true;
        const names = namesIn(folder);
        for (const name of names) if (name.endsWith('.units')) forgotten.add(join(folder, name));
        isBlind = false;
        if (!names.includes('state.json')) return;
        const found = state.parse(JSON.parse(readFileSync(path, 'utf8')));
        const units = found.units.map(({ of, heard }) => {
          const news = readUnitNews(fileOf(of));
          mine.add(fileOf(of));
          forgotten.delete(fileOf(of));
          const outcomes = news.reduce((sum, each) => sum + each.outcomes.length / numbersPerOutcome, 0);
          return { of, news, isWhole: outcomes >= heard };
        });
        left = { ...found, units };
      });
      return left;
    },
    heard: (of, news) =>
      attempt(() => {
        const file = fileOf(of);
        if (!mine.has(file)) rmSync(file, { force: true });
        mine.add(file);
        makeFolder();
        appendUnitNews(file, news);
      }),
    hasForgotten: (of) => isBlind || forgotten.has(fileOf(of)),
    write: (next) => {
      if (written === '' && next.units.length === 0 && next.gone.length === 0 && next.told.every((each) => each.evidence.length === 0))
        return;
      const text = JSON.stringify(next);
      if (text === written) return;
      attempt(() => {
        makeFolder();
        writeFileSync(`${path}.next`, text, { mode: 0o600 });
        renameSync(`${path}.next`, path);
        written = text;
        const kept = new Set(next.units.map(({ of }) => fileOf(of)));
        for (const name of readdirSync(folder)) {
          if (name.endsWith('.units') && !kept.has(join(folder, name))) rmSync(join(folder, name), { force: true });
        }
      });
    },
  };
}

/** None where there is no such folder. Throws what else the file system throws. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
