import { systemClock } from '../../effects/clock.ts';
import { identify, isAlive } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { Connection } from '../target/connect.ts';

const patienceMs = 120_000;

/**
 * Stops instances, gateway, databases and the control plane, data kept, and waits until the control plane's process is gone. Aborting
 * leaves it to itself: then resolves false.
 */
export async function stopEverything({ client, pid }: Connection, signal?: AbortSignal): Promise<boolean> {
  const controlPlane = identify(pid);
  await client.shutdown({ workloads: 'stop' });
  const deadline = systemClock.monotonic() + patienceMs;
  const gone = (): boolean => controlPlane === undefined || !isAlive(controlPlane);
  while (!gone()) {
    if (signal?.aborted) return false;
    if (systemClock.monotonic() > deadline) {
      throw sluiceError('control_plane_unreachable', { reason: `process ${pid} is still stopping after ${patienceMs / 1_000} seconds` });
    }
    await systemClock.sleep(50, signal).catch(() => undefined);
  }
  return true;
}
