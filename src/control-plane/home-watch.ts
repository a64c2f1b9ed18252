import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Clock } from '../effects/clock.ts';
import type { HomePaths } from './home.ts';
import type { HomeLock } from './home-lock.ts';
import type { Logger } from './log.ts';

/** Between two looks; it takes two to be sure. */
const everyMs = 2_000;

export interface HomeWatch {
  readonly lock: Pick<HomeLock, 'isThere'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Pick<Logger, 'error'>;
  /** Called once: nobody can find any more what runs, so whoever looks after it has to end it now. */
  readonly onLost: () => void;
}

/** Waits for the home to be removed, or moved away, while it is in use. Resolves then, or when it is told to end. */
export async function watchHome({ lock, clock, log, onLost }: HomeWatch, signal: AbortSignal): Promise<void> {
  let misses = 0;
  while (misses < 2) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    misses = lock.isThere() ? 0 : misses + 1;
  }
  log.error({}, 'the home was removed while it was in use: everything it has started is ended');
  onLost();
}

/** What was written below a home after it had been removed would pass for a damaged one. Leaves alone what somebody has put in its place. */
export async function removeRestOf({ home, lock, state, storeUrl }: HomePaths): Promise<void> {
  if (![lock, state, storeUrl].some((file) => existsSync(file))) await rm(home, { recursive: true, force: true });
}
