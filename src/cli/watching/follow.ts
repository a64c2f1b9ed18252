import { systemClock } from '../../effects/clock.ts';
import { identify, isAlive } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { SluiceEvent } from '../../telemetry/events.ts';
import { connectIfRunning, type Connection } from '../target/connect.ts';
import type { Home } from '../target/target.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { eventLine } from './event-line.ts';

const lookEveryMs = 1_000;

/**
 * Prints events until the signal is aborted or everything has been `stopped`. A control plane that is replaced meanwhile is followed on;
 * rejects with `control_plane_unreachable` soon after one has ended for good without a word.
 */
export async function followWhileAlive(
  connection: Connection,
  home: Home,
  { after, signal }: { after: number; signal: AbortSignal },
  terminal: Terminal,
  patienceMs = 5_000,
): Promise<'interrupted' | 'stopped'> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const watching = untilGone(connection.pid, home, either, patienceMs).then((gone) => {
    if (gone) ended.abort();
  });
  try {
    for await (const event of connection.client.followEvents({ after, signal: either })) {
      terminal.err.write(`${eventLine(event, terminal.err)}\n`);
      if (tellsTheEnd(event)) return 'stopped';
    }
  } finally {
    ended.abort();
    await watching;
  }
  if (signal.aborted) return 'interrupted';
  throw sluiceError('control_plane_unreachable', { reason: 'its process has ended, by a crash or a signal' });
}

/** That everything has been stopped; one that only left for another to take over is followed on. */
function tellsTheEnd({ type, data }: SluiceEvent): boolean {
  return (
    type === 'control_plane.stopped' && typeof data === 'object' && data !== null && 'workloads' in data && data['workloads'] === 'stop'
  );
}

/** True once no control plane has served the home for a while; false when the signal is aborted before. */
async function untilGone(firstPid: number, home: Home, signal: AbortSignal, patienceMs: number): Promise<boolean> {
  let identity = identify(firstPid);
  let missingSince: number | undefined;
  while (!signal.aborted) {
    if (identity === undefined || !isAlive(identity)) {
      const found = await connectIfRunning(home).catch(() => undefined);
      identity = found && identify(found.pid);
      const now = systemClock.monotonic();
      missingSince = identity === undefined ? (missingSince ?? now) : undefined;
      if (missingSince !== undefined && now - missingSince > patienceMs) return true;
    }
    await systemClock.sleep(lookEveryMs, signal).catch(() => undefined);
  }
  return false;
}
