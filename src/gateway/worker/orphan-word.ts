import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseKey } from '../measuring/counts.ts';
import type { EvidenceSnapshot } from '../measuring/evidence.ts';
import { releaseSince } from '../measuring/merge.ts';
import type { WorkerCounts } from '../measuring/meters.ts';
import type { TakenCounts } from './counts-of-worker.ts';

/** What a worker whose main process has died tells the next one: a file that is replaced whole. */
interface OrphanWord {
  /** The worker's name. */
  readonly worker: string;
  /** Nothing comes after it. */
  readonly isFinal: boolean;
  /** Requests since the main process was last told of them. */
  readonly releases: WorkerCounts['releases'];
  readonly queues: WorkerCounts['queues'];
  /** Counts since the worker began. */
  readonly evidence: readonly EvidenceSnapshot['counts'][];
  /** How often outcomes of units were taken. */
  readonly batch: number;
  /** Those of that last time and of all times since: whether the former have arrived, only the main process's ledger says. */
  readonly units: NonNullable<WorkerCounts['again']>;
}

export const orphanWordPrefix = 'orphan-';

/** Outcomes of units beyond that are left out, alike for all releases. */
const mostNumbers = 262_144 * 5;

/** `last`: what the main process was told. The result tells all that came since; nobody else takes the worker's counts any more. */
export function createOrphanWord(
  folder: string,
  pid: number,
  last: WorkerCounts,
  take: (isLast: boolean) => TakenCounts,
): (isFinal: boolean) => void {
  const base = new Map(last.releases.map((each) => [releaseKey(each), each]));
  const units: { readonly batch: number; readonly of: EvidenceSnapshot }[] = [];
  let numbers = 0;
  const path = join(folder, `${orphanWordPrefix}${pid}.json`);
  const keep = ({ evidence, batch = 0 }: WorkerCounts): void => {
    for (const each of evidence) {
      numbers += each.outcomes.length;
      // Its counts are told beside.
      const of = { ...each, counts: { ...each.counts, strata: [], copies: [] } };
      if (each.outcomes.length > 0 && numbers <= mostNumbers) units.push({ batch, of });
    }
  };
  keep(last);

  return (isFinal) => {
    const [worker, now] = take(isFinal);
    keep(now);
    const { releases, queues, evidence, batch = 0 } = now;
    const word: OrphanWord = {
      worker,
      isFinal,
      releases: releases.map((each) => releaseSince(each, base.get(releaseKey(each)))),
      queues,
      evidence: evidence.map(({ counts }) => counts),
      batch,
      units,
    };
    try {
      // Not where the gateway's own folder is gone.
      if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
      writeFileSync(`${path}.next`, JSON.stringify(word), { mode: 0o600 });
      renameSync(`${path}.next`, path);
    } catch {
      // Without it the next main process counts what it knows.
    }
  };
}
