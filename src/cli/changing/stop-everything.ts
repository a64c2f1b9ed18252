import { systemClock } from '../../effects/clock.ts';
import { identify, isAlive } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { Connection } from '../target/connect.ts';

/** Draining may take as long as the stack allows. A control plane that says nothing for this long hangs. */
const silenceMs = 60_000;
const askEveryMs = 5_000;

/**
 * Stops instances, gateway, databases and the control plane, data kept, and waits until the control plane's process is gone. Aborting
 * leaves it to itself: then resolves false.
 */
export async function stopEverything({ client, pid }: Connection, signal?: AbortSignal): Promise<boolean> {
  const controlPlane = identify(pid);
  await client.shutdown({ workloads: 'stop' });
  let heardAt = systemClock.monotonic();
  let askedAt = heardAt;
  const ask = (): void => {
    askedAt = systemClock.monotonic();
    client.status().then(
      () => (heardAt = systemClock.monotonic()),
      () => undefined,
    );
  };
  const gone = (): boolean => controlPlane === undefined || !isAlive(controlPlane);
  while (!gone()) {
    if (signal?.aborted) return false;
    const now = systemClock.monotonic();
    if (now - heardAt > silenceMs) {
      throw sluiceError('control_plane_unreachable', { reason: `process ${pid} was to stop and has fallen silent` });
    }
    if (now - askedAt > askEveryMs) ask();
    await systemClock.sleep(50, signal).catch(() => undefined);
  }
  return true;
}
