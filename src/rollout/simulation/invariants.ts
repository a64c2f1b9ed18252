import type { DesiredService } from '../desired-state.ts';
import { applyWatch } from './apply-invariants.ts';
import { type Ask, createAsks } from './asks.ts';
import { capacityWatch } from './capacity-invariants.ts';
import { cohortWatch } from './cohort-invariants.ts';
import { coverageWatch } from './coverage.ts';
import { evidenceWatch } from './evidence-invariants.ts';
import { hookWatch } from './hook-invariants.ts';
import type { AnsweredLog } from './hook-receiver.ts';
import type { MeasuredLog } from './measured-sources.ts';
import { paceWatch } from './pace-invariants.ts';
import { previewWatch } from './preview-invariants.ts';
import { requestWatch } from './request-invariants.ts';
import { releaseWatch } from './release-invariants.ts';
import { roomWatch } from './room-invariants.ts';
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
  byPeople<Result>(perform: () => Promise<Result>, ask?: Ask): Promise<Result>;
  /** Whether that is so at the moment. */
  isPeople(): boolean;
  /** Notes what did not hold. */
  check(holds: boolean, what: string): void;
  say(world: World, line: string): void;
}

/** The invariants of DESIGN.md that a rollout has to keep, looked at from outside at every effect. */
export function watchInvariants(options: {
  tally: Tally;
  users: number;
  measured?: MeasuredLog;
  answered?: AnsweredLog;
  declared?: ReadonlyMap<string, DesiredService>;
  trace?: (line: string) => void;
}): Invariants {
  const violations: string[] = [];
  const asks = createAsks();
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
    isPeople: () => asks.current() !== undefined || now <= askedUntil,
    users: options.users,
    measured: options.measured ?? new Map(),
    answered: options.answered ?? new Map(),
    declared: options.declared ?? new Map(),
    asks,
  };
  const kinds = [requestWatch, capacityWatch, stageWatch, cohortWatch, evidenceWatch, verdictWatch, releaseWatch];
  const more = [applyWatch, hookWatch, paceWatch, previewWatch, roomWatch];
  const watches: readonly Watch[] = [tracer, coverage, ...[...kinds, ...more].map((watch) => watch(witness))];
  /** To what looks on, a fault of its own must not look like a fault of the store. */
  const each = (look: (watch: Watch) => void): void => {
    for (const watch of watches) {
      try {
        look(watch);
      } catch (error) {
        witness.check(false, `an invariant could not be looked at: ${(error as Error).stack}`);
      }
    }
  };
  return {
    violations,
    seen: coverage.seen,
    see: (what) => coverage.see(what),
    byPeople: (perform, ask) => asks.byPeople(perform, ask),
    isPeople: () => witness.isPeople(),
    check: (holds, what) => witness.check(holds, what),
    say: (world, line) => tracer.say(world, line),
    stored: (before, after, world) => {
      now = world.clock.monotonic();
      each((watch) => watch.stored(before, after, world));
    },
    stops: (instance, state, world) => {
      each((watch) => watch.stops(instance, state, world));
    },
    published: (world) => {
      options.tally.publications += 1;
      each((watch) => watch.published(world));
    },
    crashed: (moment, world, effect) => {
      options.tally.crashes += 1;
      if (asks.current() && moment === 'late') askedUntil = world.clock.monotonic() + lateMs;
      each((watch) => watch.crashed?.(moment, world, effect));
    },
    outdated: (effect) => witness.check(false, `3: a control plane that has lost the lead has done a ${effect}`),
  };
}
