import { type Clock, systemClock } from '../../../effects/clock.ts';
import { isAlive } from '../../../effects/processes.ts';
import { seededRandom } from '../../../effects/random.ts';
import { until } from '../../../testing/conditions.ts';
import { endProcess } from '../../crew-register.ts';
import { createGatewayProcesses } from '../gateway-processes.ts';
import type { PartialRoute } from '../rig.ts';
import { type Clients, type Failure, type Kind, startClients } from './clients.ts';
import { createFleet } from './fleet.ts';
import { type Footprint, footprintOf } from './footprint.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** It goes on until so many tables were put, however slow the machine is. */
  readonly fewestTables?: number;
  /** A worker is killed so often; 0: never. */
  readonly killEveryMs: number;
  readonly clients: Readonly<Record<Kind, number>>;
  readonly onProgress?: (line: string) => void;
}

export interface SoakReport {
  readonly done: Readonly<Record<Kind, number>>;
  /** That no killed worker explains. */
  readonly failures: readonly Failure[];
  /** Requests that a worker had when it was killed, or that were sent to it before its end was known. */
  readonly lostWithWorkers: readonly Failure[];
  /** Requests that came to an instance after the gateway had said that none would. */
  readonly late: readonly string[];
  readonly tables: number;
  readonly instances: number;
  readonly killed: number;
  /** Most memory and files of any one process of the gateway, second by second. */
  readonly footprints: readonly Footprint[];
  /** Requests the gateway thinks it has once all clients have stopped. */
  readonly inFlightAfter: number;
}

const changeMs = 100;
const sampleMs = 1_000;
/** Once a killed worker is gone its clients learn of the end within this time and what the event loop is late. */
const newsMs = 250;

/** A gateway of real processes under load, with everything changing ten times a second. The same seed makes the same changes. */
export async function runSoak(
  { seed, durationMs, fewestTables = 0, killEveryMs, clients: counts, onProgress }: SoakOptions,
  clock: Clock = systemClock,
): Promise<SoakReport> {
  const random = seededRandom(seed);
  const fleet = await createFleet(random);
  const gateway = await createGatewayProcesses((_req, res) => res.end(), { workers: 2 });
  const kills: { readonly at: number; readonly knownAt: number }[] = [];
  const footprints: Footprint[] = [];
  let clients: Clients | undefined;
  let tables = 0;

  const route = (): PartialRoute => ({
    backends: fleet.backends(),
    health: { intervalMs: 500, timeoutMs: 5_000 },
    retryBudget: random.next() < 0.5 ? 0.2 : 1,
    ...(random.next() < 0.2 && { split: { salt: `s${tables}` } }),
    ...(random.next() < 0.2 && { slowStartMs: 1_000 }),
    ...(random.next() < 0.2 && { limits: { concurrency: 500, queue: 1_000, queueMs: 10_000, priority: 'normal' as const } }),
  });
  const others = (): readonly PartialRoute[] =>
    Array.from({ length: Math.floor(random.next() * 5) }, (_, index) => ({
      name: `other-${index}`,
      expose: [{ host: `other-${index}.test`, path: '/' }],
    }));
  const putTable = async (): Promise<void> => {
    await gateway.route(route(), ...others());
    tables += 1;
    const { instances } = await (await gateway.admin()).report();
    await fleet.settled((id) => instances.find((instance) => instance.id === id)?.inFlight);
  };
  const kill = async (): Promise<void> => {
    const workers = (await gateway.workers()).filter(({ state }) => state === 'serving');
    // Never the last one: what is promised is that another one serves on.
    const victim = workers.length < 2 ? undefined : workers[Math.floor(random.next() * workers.length)];
    if (victim === undefined) return;
    const at = performance.now();
    endProcess(victim);
    // Its clients are in this process, which may be as late as the machine is busy.
    await until('it to be gone', () => !isAlive(victim), 30_000);
    await clock.sleep(newsMs);
    kills.push({ at, knownAt: performance.now() });
  };
  const sample = async (): Promise<void> => {
    const pids = [(await gateway.main()).pid, ...(await gateway.workers()).map(({ pid }) => pid)];
    const found = (await Promise.all(pids.map(footprintOf))).filter((each) => each !== undefined);
    if (found.length === 0) return;
    footprints.push({ memoryMb: Math.max(...found.map(({ memoryMb }) => memoryMb)), files: Math.max(...found.map(({ files }) => files)) });
  };

  try {
    await gateway.start();
    await putTable();
    await putTable();
    clients = startClients(gateway.publicPort, counts);
    const began = performance.now();
    let [lastKill, lastSample] = [began, began];
    const isOver = (now: number): boolean => now >= began + durationMs && tables >= fewestTables;
    for (let now = began; !isOver(now); now = performance.now()) {
      await fleet.change();
      await putTable();
      if (killEveryMs > 0 && now - lastKill >= killEveryMs) {
        lastKill = now;
        await kill();
      }
      if (now - lastSample >= sampleMs) {
        lastSample = now;
        await sample();
        if (footprints.length % 30 === 0) onProgress?.(progress(clients, tables, kills.length, footprints.at(-1)));
      }
      await clock.sleep(Math.max(0, changeMs - (performance.now() - now)));
    }
    const failed = await clients.stop();
    const admin = await gateway.admin();
    await until('nothing to be in flight', async () => (await admin.report()).inFlight === 0, 10_000).catch(() => {});
    const isExplained = ({ began: from, ended }: Failure): boolean => kills.some(({ at, knownAt }) => from <= knownAt && ended >= at);
    return {
      done: clients.done(),
      failures: failed.filter((failure) => !isExplained(failure)),
      lostWithWorkers: failed.filter(isExplained),
      late: fleet.late(),
      tables,
      instances: fleet.started(),
      killed: kills.length,
      footprints,
      inFlightAfter: (await admin.report()).inFlight,
    };
  } finally {
    await clients?.stop();
    await gateway.remove();
    await fleet.close();
  }
}

function progress(clients: Clients, tables: number, killed: number, footprint: Footprint | undefined): string {
  const done = Object.values(clients.done()).reduce((sum, each) => sum + each, 0);
  return `${done} requests, ${tables} tables, ${killed} workers killed, ${footprint?.memoryMb.toFixed(0)} MB and ${footprint?.files} files in the largest process`;
}
