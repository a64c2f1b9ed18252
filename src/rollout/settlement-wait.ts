import { shownVerdict } from './course-verdict.ts';
import type { Clock } from '../effects/clock.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { findingsInWords } from './evidence/words.ts';
import { endGraceMs } from './instance-lifecycle.ts';
import type { ServiceState } from './service-state.ts';
import { progressOf, type Settlement } from './service-status.ts';

/** Looks again at least so often, in case what it waits for changes without a pass over the service. */
const pollMs = 1_000;
/** The evidence changes with every request: it is told again so often. */
const evidenceMs = 5_000;
/** A rollout is judged by its strategy; this much later than its deadline, nobody judges it. */
const verdictMs = 60_000;
/** An instance has its time to drain and to end; this much more is for everything between. */
const stopMarginMs = 20_000;

/**
 * Waits until a service has come to rest, and never for ever: one that comes no nearer to its number for longer than its deadlines allow
 * counts as failed. Throws `service_does_not_stop` for one that is to stop and does not, and `rollout_wait_cancelled`.
 */
export async function waitForSettlement(waiting: {
  readonly address: string;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
  readonly clock: Clock;
  readonly read: () => Promise<ServiceState | undefined>;
  readonly settle: (state: ServiceState | undefined) => Settlement | undefined;
  /** What the last pass over the service failed at, if it did. */
  readonly trouble: () => string | undefined;
  readonly watch: (changed: () => void) => () => void;
}): Promise<Settlement> {
  const { address, signal, progress, clock, read, settle, trouble, watch } = waiting;
  let told = '';
  let toldAt = clock.monotonic();
  let judged = '';
  let judgedAt = clock.monotonic();
  let changed = Promise.withResolvers<void>();
  const unwatch = watch(() => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  });
  try {
    for (;;) {
      if (signal.aborted) throw sluiceError('rollout_wait_cancelled', { service: address });
      const next = changed.promise;
      const state = await read();
      const settlement = settle(state);
      // How far it has come is told before others may move it on.
      if (state && settlement?.outcome === 'under way') progress(progressOf(state, clock.now()));
      if (settlement || !state) return settlement ?? { outcome: 'removed' };
      const line = progressOf(state, clock.now());
      if (line !== told) {
        told = line;
        toldAt = clock.monotonic();
        progress(line);
      }
      const verdict = state.candidate && shownVerdict(state, state.candidate.course);
      if (verdict && clock.monotonic() - judgedAt >= evidenceMs) {
        judgedAt = clock.monotonic();
        const words = findingsInWords(verdict);
        if (words !== judged) progress(words);
        judged = words;
      }
      if (clock.monotonic() - toldAt > patienceWith(state)) return giveUp(state, line, trouble());
      await pauseUntil(next, clock, signal);
    }
  } finally {
    unwatch();
  }
}

/** How long a service that is to stop may stay as it is before something is wrong. */
export function stopPatienceMs({ drainMs }: { readonly drainMs: number }): number {
  return drainMs + endGraceMs + stopMarginMs;
}

/** How long a service may stay as it is before waiting for it makes no sense. */
function patienceWith({ mode, candidate, settings: { drainMs, rollout } }: ServiceState): number {
  if (mode !== 'running') return stopPatienceMs({ drainMs });
  // A stage lasts as long as it is declared to, or until somebody agrees.
  if (candidate?.paused || candidate?.course?.inForceSince !== undefined) return Number.POSITIVE_INFINITY;
  return rollout.progressDeadlineMs + drainMs + (candidate ? verdictMs : 0);
}

function giveUp(state: ServiceState, line: string, trouble: string | undefined): Settlement {
  if (state.mode !== 'running') {
    throw sluiceError('service_does_not_stop', { service: state.address, reason: trouble === undefined ? line : `${line}; ${trouble}` });
  }
  const generation = state.candidate?.generation ?? state.stable;
  return { outcome: 'failed', generation, reason: `it stays at ${line}${trouble === undefined ? '' : `: ${trouble}`}`, log: '' };
}

async function pauseUntil(changed: Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  const timer = new AbortController();
  const stop = AbortSignal.any([timer.signal, signal]);
  await Promise.race([changed, clock.sleep(pollMs, stop).catch(() => undefined)]);
  timer.abort();
}
