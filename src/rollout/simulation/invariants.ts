import { capacityWatch } from './capacity-invariants.ts';
import { cohortWatch } from './cohort-invariants.ts';
import { coverageWatch } from './coverage.ts';
import { evidenceWatch } from './evidence-invariants.ts';
import type { MeasuredLog } from './measured-sources.ts';
import { requestWatch } from './request-invariants.ts';
import { releaseWatch } from './release-invariants.ts';
import { stageWatch } from './stage-invariants.ts';
import type { Tally } from './tally.ts';
import { traceWatch } from './trace.ts';
import { verdictWatch } from './verdict-invariants.ts';
import type { Witness } from './witness.ts';
import { lateMs, type Watch, type World } from './world.ts';

export interface Invariants extends Watch {
  /** What happened, for the coverage of the stories. */
  readonly seen: ReadonlySet<string>;
  see(what: string): void;
  /** What did not hold, in words; empty when everything did. */
  readonly violations: readonly string[];
  /** While this runs, what is stored may be what somebody has asked for. */
  byPeople<Result>(ask: () => Promise<Result>): Promise<Result>;
  say(world: World, line: string): void;
}

/** The invariants of DESIGN.md that a rollout has to keep, looked at from outside at every effect. */
export function watchInvariants(options: {
  tally: Tally;
  users: number;
  measured?: MeasuredLog;
  trace?: (line: string) => void;
}): Invariants {
  const violations: string[] = [];
  let asking = 0;
  /** What somebody has asked for may be under way still. */
  let askedUntil = Number.NEGATIVE_INFINITY;
  let now = 0;
  const tracer = traceWatch(options.trace);
  const coverage = coverageWatch();
  const witness: Witness = {
    check(holds, what) {
      if (holds) return;
      violations.push(what);
      options.trace?.(`                VIOLATION ${what}`);
    },
    tally: options.tally,
    isPeople: () => asking > 0 || now <= askedUntil,
    users: options.users,
    measured: options.measured ?? new Map(),
  };
  const kinds = [requestWatch, capacityWatch, stageWatch, cohortWatch, evidenceWatch, verdictWatch, releaseWatch];
  const watches: readonly Watch[] = [tracer, coverage, ...kinds.map((watch) => watch(witness))];
  return {
    violations,
    seen: coverage.seen,
    see: (what) => coverage.see(what),
    async byPeople(ask) {
      asking += 1;
      try {
        return await ask();
      } finally {
        asking -= 1;
      }
    },
    say: (world, line) => tracer.say(world, line),
    stored: (before, after, world) => {
      now = world.clock.now();
      for (const watch of watches) watch.stored(before, after, world);
    },
    stops: (instance, state, world) => {
      for (const watch of watches) watch.stops(instance, state, world);
    },
    published: (world) => {
      options.tally.publications += 1;
      for (const watch of watches) watch.published(world);
    },
    crashed: (moment, world, effect) => {
      options.tally.crashes += 1;
      if (asking > 0 && moment === 'late') askedUntil = world.clock.now() + lateMs;
      for (const watch of watches) watch.crashed?.(moment, world, effect);
    },
  };
}
