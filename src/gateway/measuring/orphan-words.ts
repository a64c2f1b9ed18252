import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive, type ProcessIdentity } from '../../effects/processes.ts';
import { counts } from './counts-schema.ts';
import { unitOutcomes } from './handed-counts.ts';
import type { WorkerCounts } from './meters.ts';

const word = counts.extend({
  worker: z.string(),
  isFinal: z.boolean(),
  batch: z.number(),
  units: z.array(z.object({ batch: z.number(), of: unitOutcomes })).readonly(),
});

/** What workers tell whose main process was killed. */
export interface OrphanWords {
  /** As workers tell it. */
  collect(): Promise<readonly (readonly [worker: string, told: WorkerCounts])[]>;
  /** What was collected is in the ledger: those who have told their last, or have died, are forgotten. Their names. */
  settle(): Promise<readonly string[]>;
  /** Whether more may come of a worker that a main process before this one had: there is a word of it, or it lives. */
  telling(): Promise<(worker: string) => boolean>;
}

export function createOrphanWords(folder: string, prefix: string): OrphanWords {
  let over: { readonly worker: string; readonly path: string }[] = [];
  let areGone = false;

  const paths = async (): Promise<readonly string[]> => {
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.startsWith(prefix) && name.endsWith('.json')).map((name) => join(folder, name));
  };

  return {
    collect: async () => {
      // Nobody becomes an orphan of another main process once this one serves.
      if (areGone) return [];
      const found = await paths();
      areGone = found.length === 0;
      const told: (readonly [string, WorkerCounts])[] = [];
      for (const path of found) {
        const worker = (await read(path))?.worker;
        const hasEnded = worker === undefined || !isAlive(identityOf(worker));
        // After that look: who has ended by then writes no more.
        const each = await read(path);
        if (each === undefined) continue;
        const { releases, queues, batch, units } = each;
        const evidence = each.evidence.map((counted) => ({ counts: counted, outcomes: [], draws: [], categoryNames: [] }));
        told.push([each.worker, { releases, queues, evidence, batch, again: units }]);
        if (hasEnded || each.isFinal) over.push({ worker: each.worker, path });
      }
      return told;
    },
    settle: async () => {
      const ended = over;
      over = [];
      for (const { path } of ended) await rm(path, { force: true });
      return ended.map(({ worker }) => worker);
    },
    telling: async () => {
      const words = await Promise.all((await paths()).map(read));
      const names = new Set(words.map((each) => each?.worker));
      return (worker) => names.has(worker) || isAlive(identityOf(worker));
    },
  };
}

function identityOf(worker: string): ProcessIdentity {
  const [pid = '', ...rest] = worker.split('-');
  return { pid: Number(pid), startTime: rest.join('-') };
}

async function read(path: string): Promise<z.infer<typeof word> | undefined> {
  try {
    return word.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
