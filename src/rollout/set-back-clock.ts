import { longestPauseMs } from './restart-backoff.ts';
import type { Candidate, Instance, ServiceState } from './service-state.ts';
import type { SourceState } from './sources/source-state.ts';

/** Clocks of two control planes over one store may differ by as much. */
const toleratedMs = 5_000;

/**
 * The state with nothing in it that has yet to happen: where the clock was set back, what was noted before counts from now on, so that a pause, a
 * drain, a stage and a deadline last once more as long as they are to, and no longer. The same state where the clock went on. Pure.
 */
export function withoutFuture(state: ServiceState, now: number): ServiceState {
  const { candidate, previous, instances, settings, rollouts = [] } = state;
  const checked = instances.map((instance) => withoutFutureOf(instance, settings.drainMs, now));
  const isSame = checked.every((instance, index) => instance === instances[index]);
  const going = candidate && candidateNow(candidate, now);
  // It is kept from the end of a rollout on.
  const isKeptFromLater = previous !== undefined && rollouts.some(({ endedAt = now }) => endedAt > now + toleratedMs);
  const keptUntil = now + (settings.rollout.keepPreviousMs ?? 0);
  if (isSame && going === candidate && !(isKeptFromLater && previous.until > keptUntil)) return state;
  return {
    ...state,
    instances: checked,
    ...(going && { candidate: going }),
    ...(isKeptFromLater && { previous: { ...previous, until: Math.min(previous.until, keptUntil) } }),
  };
}

function withoutFutureOf(instance: Instance, drainMs: number, now: number): Instance {
  const { since, retryAt = now, drainUntil = now, exits } = instance;
  const latest = now + toleratedMs;
  const isLate = since > latest || retryAt > latest + longestPauseMs || drainUntil > latest + drainMs || exits.some((at) => at > latest);
  if (!isLate) return instance;
  return {
    ...instance,
    since: Math.min(since, now),
    exits: exits.map((at) => Math.min(at, now)),
    // It has waited long enough already, or nobody can tell.
    ...(instance.retryAt !== undefined && { retryAt: since > latest ? now : Math.min(retryAt, now + longestPauseMs) }),
    ...(instance.drainUntil !== undefined && { drainUntil: Math.min(drainUntil, now + drainMs) }),
  };
}

function candidateNow(candidate: Candidate, now: number): Candidate {
  const { progressAt, paused, course } = candidate;
  const inForceSince = course?.inForceSince;
  const sources = course?.sources;
  const latest = now + toleratedMs;
  const times = [progressAt, paused?.since, inForceSince, ...(sources ?? []).map(({ last }) => last?.at)];
  if (!times.some((time) => time !== undefined && time > latest)) return candidate;
  return {
    ...candidate,
    progressAt: Math.min(progressAt, now),
    ...(paused && { paused: { ...paused, since: Math.min(paused.since, now) } }),
    ...(course && {
      course: {
        ...course,
        ...(inForceSince !== undefined && { inForceSince: Math.min(inForceSince, now) }),
        ...(sources && { sources: sources.map((source) => measuredBy(source, now)) }),
      },
    }),
  };
}

function measuredBy(source: SourceState, now: number): SourceState {
  const { last } = source;
  return last && last.at > now ? { ...source, last: { ...last, at: now } } : source;
}
