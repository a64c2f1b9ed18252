import { join, resolve } from 'node:path';
import type { Clock } from '../effects/clock.ts';
import { timestamp } from '../effects/clock.ts';
import { isAlive, type ProcessIdentity, terminateGroup } from '../effects/processes.ts';
import type { Random } from '../effects/random.ts';
import { toSluiceError } from '../errors/sluice-error.ts';
import { recordedProcess } from '../gateway/gateway-folder.ts';
import { createDockerImages } from '../providers/docker/docker-images.ts';
import { createDockerWorkloads } from '../providers/docker/docker-workloads.ts';
import { createEngine } from '../providers/docker/engine.ts';
import { createLocalPlatform } from '../providers/local/local-provider.ts';
import { createLocalWorkloads } from '../providers/local/workloads/local-workloads.ts';
import { createPlacedWorkloads } from '../providers/placed-workloads.ts';
import { openHome, readRecord, writeRecord } from './home.ts';
import { lockHome } from './home-lock.ts';
import { runningInstances } from './running-instances.ts';

/** What was ended, by its name, and what could not be. */
export interface StoppedWithoutStore {
  readonly ended: readonly string[];
  readonly failed: readonly { readonly what: string; readonly reason: string }[];
}

/** What it does now it cannot record; the next one takes it up as after a crash. */
const controlPlaneMs = 5_000;
/** Requests in flight are finished meanwhile. */
const gatewayMs = 12_000;
const instanceMs = 10_000;

/**
 * Ends everything that runs for a home whose state cannot be reached, by what the home itself has on record: control plane, gateway,
 * instances, servers; data is kept. The state learns of it at the next start, which finds what is suspended and resumes it. Throws
 * `home_in_use` when another control plane begins meanwhile.
 */
export async function stopWithoutStore(
  home: string,
  effects: { readonly clock: Clock; readonly random: Random },
): Promise<StoppedWithoutStore> {
  const { clock, random } = effects;
  const ended: string[] = [];
  const failed: { what: string; reason: string }[] = [];
  const end = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      ended.push(what);
    } catch (thrown) {
      failed.push({ what, reason: toSluiceError(thrown).message });
    }
  };

  const paths = await openHome(resolve(home));
  const before = await readRecord(paths.home);
  if (before !== undefined && isAlive(before)) await end('the control plane', () => terminated(before, controlPlaneMs, clock));
  const lock = await lockHome(paths);
  try {
    // First, so that no request meets an instance that is gone.
    const gateway = await recordedProcess(join(paths.home, 'gateway'));
    if (gateway !== undefined && isAlive(gateway)) await end('the gateway', () => terminated(gateway, gatewayMs, clock));
    const containerEngine = createEngine(process.env);
    const images = createDockerImages({ engine: containerEngine, home: paths.home, environment: process.env });
    const workloads = createPlacedWorkloads({
      processes: createLocalWorkloads({ home: paths.home, clock, random }),
      containers: createDockerWorkloads({ home: paths.home, engine: containerEngine, images, clock, random }),
    });
    await Promise.all((await runningInstances(workloads)).map(({ id }) => end(`instance ${id}`, () => workloads.stop(id, instanceMs))));
    const { servers } = createLocalPlatform({ home: paths.home, clock, random });
    await Promise.all((await servers.running()).map((address) => end(address, () => servers.halt(address))));
    if (failed.length === 0 && before !== undefined) await writeRecord(paths.home, { ...before, stoppedAt: timestamp(clock.now()) });
  } finally {
    lock.release();
  }
  return { ended, failed };
}

async function terminated(identity: ProcessIdentity, limitMs: number, clock: Clock): Promise<void> {
  await terminateGroup(identity, limitMs, clock);
  if (isAlive(identity)) throw new Error(`process ${identity.pid} did not end`);
}
