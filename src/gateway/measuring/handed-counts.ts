import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, timestamp } from '../../effects/clock.ts';
import { writeDurably } from '../../effects/files.ts';
import { isAlive, type ProcessIdentity } from '../../effects/processes.ts';
import type { Random } from '../../effects/random.ts';
import type { Counts, EvidenceCounts } from './counts.ts';
import { counts } from './counts-schema.ts';
import type { EvidenceSnapshot } from './evidence.ts';
import type { WorkerCounts } from './meters.ts';

/** A life of the gateway, as who reads counts tells it from others: it goes on when one main process hands over to another. */
export interface CountedLife {
  readonly epoch: string;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** Whose counts go on: a main process that hands over, and goes on counting until what it has is finished. */
export const countsHeir = z.object({ pid: z.number().int(), startTime: z.string(), epoch: z.string(), startedAt: z.string() });
export type CountsHeir = z.infer<typeof countsHeir>;

const unitDraw = z.object({
  release: z.string(),
  key: z.string(),
  regions: z.array(z.object({ release: z.string(), from: z.number(), to: z.number() })).readonly(),
  compared: z.array(z.string()).readonly().optional(),
  hasShares: z.boolean(),
});
/** Outcomes of units on their way from one process to another: an `EvidenceSnapshot`. */
export const unitOutcomes = z.object({
  counts: counts.shape.evidence.unwrap().element,
  outcomes: z.array(z.number()).readonly(),
  draws: z.array(unitDraw).readonly(),
  categoryNames: z.array(z.string()).readonly(),
});

/** `units`: outcomes that came after it ceased to count units, in their order. Absent: it counts them itself, and hands on no memory of them. */
const told = counts.extend({
  pid: z.number().int(),
  startTime: z.string(),
  isFinal: z.boolean(),
  units: z.array(unitOutcomes).readonly().optional(),
});

/** What a main process tells the next one. */
export interface HandedOn {
  readonly counts: Counts;
  readonly units?: readonly EvidenceSnapshot[];
}

const fileOf = (folder: string, { pid }: { readonly pid: number }): string => join(folder, `${pid}.json`);

/** Tells the successor all that has been counted since the life began, until nothing more can come. */
export interface HandingCounts {
  /** Resolves once the successor can read what there is, or soon: it ends those who go on accepting for long, and waits for the counts itself. */
  begin(): Promise<void>;
  /** The last word, if there was a first one. */
  finish(): Promise<void>;
}

const tellMs = 500;
const firstWordMs = 1_000;

export function createHandingCounts(folder: string, self: ProcessIdentity, clock: Clock, total: () => Promise<HandedOn>): HandingCounts {
  const done = new AbortController();
  let telling: Promise<void> | undefined;

  const tell = async (isFinal: boolean): Promise<void> => {
    const { counts: all, units } = await total();
    const { pid, startTime } = self;
    await writeDurably(fileOf(folder, self), JSON.stringify({ pid, startTime, isFinal, ...all, units })).catch(() => {});
  };
  const goOn = async (): Promise<void> => {
    while (!done.signal.aborted) {
      await clock.sleep(tellMs, done.signal).catch(() => {});
      if (!done.signal.aborted) await tell(false);
    }
  };

  return {
    begin: async () => {
      const first = tell(false);
      telling = first.then(goOn);
      const late = clock.sleep(firstWordMs, done.signal).catch(() => {});
      await Promise.race([first, late]);
    },
    finish: async () => {
      done.abort(new Error('finished'));
      if (telling === undefined) return;
      await telling;
      await tell(true);
    },
  };
}

/** One that begins with all counts at zero. */
export function newLife(random: Random, clock: Clock): CountedLife {
  return { epoch: Buffer.from(random.bytes(8)).toString('hex'), startedAt: timestamp(clock.now()) };
}

/** What the main process before this one has counted. */
export interface HandedCounts {
  /** As one of the workers tells it; empty once nothing more can come, and before anything has. */
  collect(): Promise<readonly (readonly [name: string, told: WorkerCounts])[]>;
  /** What its evidence is when it has ceased to count units, and hands their memory on; `older` when it does not know how to. */
  first(): Promise<{ readonly kind: 'nothing' | 'units' | 'older'; readonly evidence: readonly EvidenceCounts[] }>;
  /** Resolves once it has told something, or cannot. */
  begun(limitMs: number): Promise<void>;
  /** Resolves once it has told its last, or cannot. */
  ended(limitMs: number): Promise<void>;
}

const pollMs = 20;
const forgottenMs = 60 * 60_000;

/** `onEnded`: the name of `collect` tells no more, and what it told last stays. */
export function createHandedCounts(
  folder: string,
  from: CountsHeir | undefined,
  clock: Clock,
  onEnded: (name: string) => void,
): HandedCounts {
  const name = `main ${from?.pid}-${from?.startTime}`;
  let hasBegun = from === undefined;
  let isOver = from === undefined;
  let heardUnits = 0;

  const read = async (): Promise<z.infer<typeof told> | undefined> => {
    if (from === undefined) return undefined;
    try {
      const found = told.parse(JSON.parse(await readFile(fileOf(folder, from), 'utf8')));
      return found.startTime === from.startTime ? found : undefined;
    } catch {
      return undefined;
    }
  };

  const collect: HandedCounts['collect'] = async () => {
    if (from === undefined || isOver) return [];
    // Before it is read: who has ended by then writes no more.
    const hasEnded = !isAlive(from);
    const found = await read();
    if (found !== undefined) hasBegun = true;
    if (hasEnded || found?.isFinal === true) {
      isOver = true;
      hasBegun = true;
    }
    if (found === undefined) return [];
    const { releases, queues, evidence, units = [] } = found;
    const snapshots = evidence.map((each) => ({ counts: each, outcomes: [], draws: [], categoryNames: [] }));
    // Each outcome is to be counted once.
    const unheard = units.slice(heardUnits);
    heardUnits = units.length;
    return [[name, { releases, queues, evidence: [...snapshots, ...unheard] }]];
  };

  const waitFor = async (isSo: () => Promise<boolean>, limitMs: number): Promise<void> => {
    const deadline = clock.monotonic() + limitMs;
    while (!(await isSo()) && clock.monotonic() < deadline) await clock.sleep(pollMs);
  };

  /** What nobody has read, as its heir was killed. */
  const clearAway = async (): Promise<void> => {
    for (const file of await readdir(folder).catch(() => [])) {
      const path = join(folder, file);
      if (clock.now() - (await stat(path)).mtimeMs > forgottenMs) await rm(path, { force: true });
    }
  };
  clearAway().catch(() => {});

  return {
    collect: async () => {
      const wasOver = isOver;
      const found = await collect();
      if (isOver && !wasOver && from !== undefined) {
        onEnded(name);
        await rm(fileOf(folder, from), { force: true });
      }
      return found;
    },
    first: async () => {
      const found = await read();
      if (found === undefined) return { kind: 'nothing', evidence: [] };
      return { kind: found.units === undefined ? 'older' : 'units', evidence: found.evidence };
    },
    begun: (limitMs) => waitFor(async () => hasBegun || (from !== undefined && !isAlive(from)) || (await read()) !== undefined, limitMs),
    ended: (limitMs) => waitFor(async () => isOver || (from !== undefined && !isAlive(from)) || (await read())?.isFinal === true, limitMs),
  };
}
