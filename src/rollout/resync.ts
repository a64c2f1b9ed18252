import type { Clock } from '../effects/clock.ts';

const resyncMs = 30_000;

/**
 * Has everything looked at again now and then. Whoever changes something wakes its worker; but a change that a control plane has sent to the
 * store before it ended may arrive after its successor has looked, and then nobody is woken.
 */
export async function resync(options: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly keys: () => Promise<readonly string[]>;
  readonly wake: (key: string) => void;
}): Promise<void> {
  const { clock, signal, keys, wake } = options;
  while (!signal.aborted) {
    await clock.sleep(resyncMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    // A store that cannot be read now is asked again later.
    for (const key of await keys().catch(() => [])) wake(key);
  }
}
