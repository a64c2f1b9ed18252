import { systemClock, type Clock } from '../../effects/clock.ts';

/** Ctrl-C (and SIGTERM, SIGHUP) as two signals: the first asks, the second insists. */
export interface Interrupts {
  readonly first: AbortSignal;
  readonly second: AbortSignal;
}

/** Runs `body` with Ctrl-C as its signals; afterwards Ctrl-C ends the process again. */
export async function withInterrupts<Value>(body: (interrupts: Interrupts) => Promise<Value>): Promise<Value> {
  const interrupts = watchInterrupts();
  try {
    return await body(interrupts);
  } finally {
    interrupts.end();
  }
}

export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * One Ctrl-C can arrive several times: the terminal sends it to the whole process group, and npm and the launcher pass it on. What
 * follows within `quietMs` is therefore the same one.
 */
export function watchInterrupts(source: SignalSource = process, clock: Clock = systemClock, quietMs = 700): Interrupts & { end(): void } {
  const first = new AbortController();
  const second = new AbortController();
  let since = Number.NEGATIVE_INFINITY;
  const onSignal = (): void => {
    const now = clock.monotonic();
    const repeated = now - since < quietMs;
    since = now;
    if (!first.signal.aborted) first.abort();
    else if (!repeated) second.abort();
  };
  for (const signal of signals) source.on(signal, onSignal);
  return {
    first: first.signal,
    second: second.signal,
    end: () => {
      for (const signal of signals) source.off(signal, onSignal);
    },
  };
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
