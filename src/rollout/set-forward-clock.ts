import type { Candidate, Instance, ServiceState } from './service-state.ts';
import type { SourceState } from './sources/source-state.ts';

/** A clock that is corrected by less is not worth a write. */
const toleratedMs = 1_000;

/** What the clock showed, and how much time had really passed, at one moment of this process. */
export interface LookedAt {
  readonly now: number;
  readonly monotonic: number;
}

/** How far (ms) the clock was set forward between two moments of one process; 0 where it was not. Time in which the machine slept counts too. */
export function leapBetween(before: LookedAt | undefined, after: LookedAt): number {
  const leap = before === undefined ? 0 : after.now - before.now - (after.monotonic - before.monotonic);
  return leap > toleratedMs ? leap : 0;
}

/**
 * The state with what was noted by `until` moved along with a clock that was set forward by `leap` (ms), so that a pause, a drain, a stage and a
 * deadline last as long as they are to. What was noted later was noted by the new clock. The same state where there was no leap. Pure.
 */
export function withoutLeap(state: ServiceState, until: number, leap: number): ServiceState {
  if (leap === 0) return state;
  const { candidate, previous, instances, settings } = state;
  const moved = (time: number): number => (time <= until ? time + leap : time);
  // It was chosen so long before it comes.
  const isKeptFromBefore = previous !== undefined && previous.until - (settings.rollout.keepPreviousMs ?? 0) <= until;
  return {
    ...state,
    instances: instances.map((instance) => instanceAfter(instance, settings.drainMs, { until, leap, moved })),
    ...(candidate && { candidate: candidateAfter(candidate, moved) }),
    ...(isKeptFromBefore && { previous: { ...previous, until: previous.until + leap } }),
  };
}

function instanceAfter(
  instance: Instance,
  drainMs: number,
  { until, leap, moved }: { readonly until: number; readonly leap: number; readonly moved: (time: number) => number },
): Instance {
  const { since, retryAt, drainUntil, exits } = instance;
  return {
    ...instance,
    since: moved(since),
    exits: exits.map(moved),
    ...(retryAt !== undefined && { retryAt: since <= until ? retryAt + leap : retryAt }),
    ...(drainUntil !== undefined && { drainUntil: drainUntil - drainMs <= until ? drainUntil + leap : drainUntil }),
  };
}

function candidateAfter(candidate: Candidate, moved: (time: number) => number): Candidate {
  const { progressAt, course } = candidate;
  const { inForceSince, sources } = course ?? {};
  return {
    ...candidate,
    progressAt: moved(progressAt),
    ...(course && {
      course: {
        ...course,
        ...(inForceSince !== undefined && { inForceSince: moved(inForceSince) }),
        ...(sources && { sources: sources.map((source) => measuredAfter(source, moved)) }),
      },
    }),
  };
}

function measuredAfter(source: SourceState, moved: (time: number) => number): SourceState {
  const { last } = source;
  return last ? { ...source, last: { ...last, at: moved(last.at) } } : source;
}
