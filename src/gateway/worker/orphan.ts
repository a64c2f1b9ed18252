import { readFileSync } from 'node:fs';
import type { Clock } from '../../effects/clock.ts';
import { isAlive, type ProcessIdentity } from '../../effects/processes.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { handOver } from './hand-over.ts';

export interface OrphanDependencies {
  readonly folder: string;
  /** The main process that has died. */
  readonly main: ProcessIdentity | undefined;
  /** Where a main process that took over says that its workers accept. */
  readonly successorFile: string;
  readonly program: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Workers that were there when this one was started. */
  readonly elders: readonly ProcessIdentity[];
  readonly sockets: ReadonlyMap<string, BoundSocket>;
  readonly clock: Clock;
  /** Whether the gateway's folder is still there; without it nobody wants this process. */
  readonly isWanted: () => boolean;
}

const pollMs = 50;
const startMs = 20_000;
const longestBackoffMs = 10_000;

/**
 * What a worker does when its main process has died: it goes on serving, and the eldest of those left starts another main process and
 * gives it the sockets, so that not a connection is refused and no control plane is needed. Resolves when this worker is to leave: a
 * successor serves, or nobody wants the gateway any more.
 */
export async function outliveMain(dependencies: OrphanDependencies): Promise<void> {
  const { elders, main, successorFile, clock, isWanted } = dependencies;
  let backoffMs = pollMs;
  for (;;) {
    if (!isWanted() || successorServes(successorFile, main)) return;
    // All know the same order of birth, and nobody comes back from the dead: there is never more than one eldest.
    if (elders.some(isAlive)) {
      await clock.sleep(pollMs);
      continue;
    }
    const { outcome } = await handOver({ ...dependencies, limitMs: startMs });
    if (outcome === 'serving') return;
    await clock.sleep(backoffMs);
    backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
  }
}

/**
 * The main process that died may be on record there itself, as the successor of another; and who sees its channel closed may still find it
 * alive, since the kernel closes what a process has open before that is over.
 */
function successorServes(file: string, main: ProcessIdentity | undefined): boolean {
  try {
    const identity: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isIdentity(identity) || !isAlive(identity)) return false;
    return identity.pid !== main?.pid || identity.startTime !== main.startTime;
  } catch {
    return false;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return typeof value === 'object' && value !== null && 'pid' in value && 'startTime' in value;
}
