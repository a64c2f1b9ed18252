import { join, resolve } from 'node:path';
import { ensureAdminKey } from '../access/admin-key.ts';
import { createApp } from '../api/app.ts';
import { hostsFor } from '../api/host-check.ts';
import type { Status } from '../api/schemas/status.ts';
import { timestamp, type Clock } from '../effects/clock.ts';
import { removeAsides } from '../effects/files.ts';
import { identify } from '../effects/processes.ts';
import type { Random } from '../effects/random.ts';
import { listen } from './api-server.ts';
import { compose, type Parts } from './compose.ts';
import { openHome, readRecord, writeRecord, type ControlPlaneRecord, type HomePaths } from './home.ts';
import { lockHome } from './home-lock.ts';
import { openLog, type Logger } from './log.ts';
import { createKnownSecrets } from '../secrets/known-secrets.ts';
import { productVersion } from './product-version.ts';

export interface ControlPlaneSettings {
  readonly home: string;
  readonly root: string;
  readonly host: string;
  /** Any free port when absent, the one of the last time if possible. */
  readonly port?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Between two looks for drift; undefined for none. */
  readonly driftIntervalMs?: number | undefined;
  /** Asked for over the API; the answer has been sent when the process ends. */
  readonly onShutdown: (workloads: 'stop' | 'keep') => void;
}

export interface ControlPlane {
  readonly url: string;
  readonly log: Logger;
  /**
   * `keep` leaves gateway, instances and servers running: the next control plane adopts them. `stop` suspends everything; it resumes at
   * the next start.
   */
  stop(workloads: 'stop' | 'keep'): Promise<void>;
}

/**
 * Opens the home and brings the control plane up: store, what a crash left behind, gateway, resources, services, and the API last, so
 * that whoever reaches it finds everything in place. Throws `home_in_use`, `home_exposed`, `admin_key_exposed`, `address_unavailable`.
 */
export async function startControlPlaneHere(settings: ControlPlaneSettings): Promise<ControlPlane> {
  const { host, port, clock, random } = settings;
  const [home, root] = [resolve(settings.home), resolve(settings.root)];
  const paths = await openHome(home);
  const lock = await lockHome(paths);
  await removeAsides(home);
  for (const folder of ['instances', 'local']) await removeAsides(join(home, folder), { recursive: true });
  const previous = await readRecord(home);
  const startedAt = timestamp(clock.now());
  const record: ControlPlaneRecord = { pid: process.pid, startTime: identify(process.pid)?.startTime ?? '', root, startedAt };
  await writeRecord(home, record);
  const secrets = createKnownSecrets();
  const log = openLog(paths.log, secrets);
  log.info({ home, root, version: productVersion }, 'starting');
  const parts = await compose({ paths, root, clock, random, log, secrets, driftIntervalMs: settings.driftIntervalMs });
  await parts.audit.open();
  await ensureAdminKey({ file: paths.adminKey, keyring: parts.keyring, random });

  const closing = new AbortController();
  await takeUp(parts, log);
  const rotating = parts.rotator.run(closing.signal);
  const watching = parts.driftLoop?.run(closing.signal);

  const app = createApp({
    ...parts,
    clock,
    version: productVersion,
    allowedHosts: hostsFor(host),
    closing: closing.signal,
    shutdown: settings.onShutdown,
    report: (error, request) => log.error({ error, ...request }, 'a request met an unexpected error'),
    status: () => describe(parts, { paths, root, startedAt }),
  });
  const server = await listen({ app, host, port, previousPort: portOf(previous?.url) });
  await writeRecord(home, { ...record, url: server.url });
  await parts.events.publish({ type: 'control_plane.started', level: 'info', message: `The control plane answers at ${server.url}` });
  log.info({ url: server.url }, 'listening');

  return {
    url: server.url,
    log,
    stop: async (workloads) => {
      log.info({ workloads }, 'stopping');
      closing.abort(new Error('the control plane is ending'));
      await server.close();
      // What a run is doing at this moment is finished, within reason: the journal knows what was begun.
      await Promise.race([parts.runs.cancelAll(), clock.sleep(runGraceMs)]);
      await putDown(parts, workloads, log);
      await rotating;
      await watching;
      await parts.events.publish({ type: 'control_plane.stopped', level: 'info', message: `The control plane has ended (${workloads})` });
      await parts.store.close();
      lock.release();
      log.info('ended');
    },
  };
}

const runGraceMs = 10_000;

/** Takes up what the last control plane left, running or cut short. What fails is told and keeps nothing else from coming up. */
async function takeUp({ engine, runs, gateway, controller }: Parts, log: Logger): Promise<void> {
  const attempt = async (what: string, step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      log.error({ error }, `${what} failed at the start`);
    }
  };
  await attempt('settling interrupted runs', () => runs.settleInterrupted());
  await attempt('recovery', () => engine.recover());
  await attempt('the gateway', () => gateway.start());
  await attempt('resuming', () => engine.resumeAll());
  await attempt('the service controller', () => controller.start());
}

async function putDown({ engine, gateway, controller }: Parts, workloads: 'stop' | 'keep', log: Logger): Promise<void> {
  if (workloads === 'stop') await engine.suspendAll();
  await controller.stop();
  if (workloads === 'keep') {
    gateway.leave();
    return;
  }
  await gateway.stop().catch((error: unknown) => log.error({ error }, 'the gateway did not end cleanly'));
}

async function describe(
  { gateway, store }: Parts,
  { paths, root, startedAt }: { paths: HomePaths; root: string; startedAt: string },
): Promise<Status> {
  const report = await gateway.status().catch(() => undefined);
  const counts = new Map<string, { resources: number; services: number }>();
  for (const { key } of await store.list('resources')) {
    const [environment = '', kind] = key.split('/');
    const count = counts.get(environment) ?? { resources: 0, services: 0 };
    counts.set(environment, { resources: count.resources + 1, services: count.services + (kind === 'service' ? 1 : 0) });
  }
  return {
    version: productVersion,
    home: paths.home,
    root,
    pid: process.pid,
    startedAt,
    gateway: report === undefined ? { running: false } : { running: true, pid: report.pid, startedAt: report.startedAt },
    environments: Array.from(counts, ([name, count]) => {
      const url = report?.publicUrls[name];
      return { name, ...(url !== undefined && { url }), ...count };
    }),
  };
}

function portOf(url: string | undefined): number | undefined {
  const port = url === undefined ? '' : new URL(url).port;
  return port === '' ? undefined : Number(port);
}
