import type { Clock } from '../effects/clock.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { ServiceState } from './service-state.ts';
import { progressOf, type Settlement } from './service-status.ts';

/** Looks again at least so often, in case what it waits for changes without a pass over the service. */
const pollMs = 1_000;

/**
 * Waits until a service has come to rest. One that stays short of its number for longer than its progress deadline, without a rollout
 * that would have noticed, counts as failed.
 */
export async function waitForSettlement(waiting: {
  readonly address: string;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
  readonly clock: Clock;
  readonly read: () => Promise<ServiceState | undefined>;
  readonly settle: (state: ServiceState | undefined) => Settlement | undefined;
  readonly watch: (changed: () => void) => () => void;
}): Promise<Settlement> {
  const { address, signal, progress, clock, read, settle, watch } = waiting;
  let told = '';
  let toldAt = clock.monotonic();
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
      if (settlement || !state) return settlement ?? { outcome: 'removed' };
      const line = progressOf(state);
      if (line !== told) {
        told = line;
        toldAt = clock.monotonic();
        progress(line);
      }
      const stuckAfter = state.settings.rollout.progressDeadlineMs + state.settings.drainMs;
      if (!state.candidate && state.mode === 'running' && clock.monotonic() - toldAt > stuckAfter) {
        return { outcome: 'failed', generation: state.stable, reason: `it stays at ${line}`, log: '' };
      }
      await pauseUntil(next, clock, signal);
    }
  } finally {
    unwatch();
  }
}

async function pauseUntil(changed: Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  const timer = new AbortController();
  const stop = AbortSignal.any([timer.signal, signal]);
  await Promise.race([changed, clock.sleep(pollMs, stop).catch(() => undefined)]);
  timer.abort();
}
