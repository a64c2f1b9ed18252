import { statSync } from 'node:fs';
import type { Clock } from '../effects/clock.ts';
import { gatewayFiles } from './gateway-files.ts';
import type { GatewayLog } from './log.ts';

/** Between two looks; it takes three to be sure. */
const everyMs = 2_000;
const looks = 3;

export interface FolderWatch {
  readonly folder: string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Pick<GatewayLog, 'error'>;
  /** Called once: nobody can find the gateway any more, so it has to end by itself. */
  readonly onGone: () => void;
}

/** Waits for the gateway's folder to be removed, or moved away, while it is in use. Resolves then, or when it is told to end. */
export async function watchFolder({ folder, clock, log, onGone }: FolderWatch, signal: AbortSignal): Promise<void> {
  const { settings, process, token } = gatewayFiles(folder);
  let misses = 0;
  while (misses < looks) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    // What is written below a folder after it was removed makes it anew, but not these.
    misses = [settings, process, token].every(isGone) ? misses + 1 : 0;
  }
  log.error({}, 'the folder of the gateway was removed while it was in use: it ends');
  onGone();
}

/** Whether there is certainly nothing at the path: of a file that cannot be looked at just now (EACCES, EIO, ESTALE) nobody knows. */
export function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}
