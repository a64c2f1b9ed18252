import { join, resolve } from 'node:path';
import { ensureAdminKey } from '../access/admin-key.ts';
import { createApp } from '../api/app.ts';
import { hostsFor } from '../api/host-check.ts';
import type { Status } from '../api/schemas/status.ts';
import { timestamp, type Clock } from '../effects/clock.ts';
import { removeAsides } from '../effects/files.ts';
import { identify } from '../effects/processes.ts';
import type { Random } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { DurableStore } from '../store/durable-store.ts';
import type { NewEvent } from '../telemetry/events.ts';
import { listen } from './api-server.ts';
import { compose } from './compose.ts';
import { openHome, readRecord, writeRecord, type ControlPlaneRecord } from './home.ts';
import { lockHome } from './home-lock.ts';
import { removeRestOf, watchHome } from './home-watch.ts';
import { openLog, type Logger } from './log.ts';
import { createKnownSecrets } from '../secrets/known-secrets.ts';
import { productVersion } from './product-version.ts';
import { putDown } from './put-down.ts';
import { statusReport } from './status-report.ts';
import { takeUp } from './take-up.ts';

export interface ControlPlaneSettings {
  readonly home: string;
  readonly root: string;
  readonly host: string;
  /** `sqlite` or the URL of a PostgreSQL database; what the home remembers when absent. */
  readonly store?: string | undefined;
  /** Any free port when absent, the one of the last time if possible. */
  readonly port?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Between two looks for drift; undefined for none. */
  readonly driftIntervalMs?: number | undefined;
  /** Where webhooks may be sent; `public,private,loopback` when absent. Throws `webhook_networks_invalid`. */
  readonly webhookNetworks?: string | undefined;
  /** Stands between the control plane and its store: for who watches what is written, and ends it there. */
  readonly throughStore?: ((store: DurableStore) => DurableStore) | undefined;
  /** Asked for over the API, because the home was removed or another has the lead; the answer has been sent when the process ends. */
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

/** How long a request waits for what the last control plane left to be taken up; below the time limit of a request. */
const takenUpWithinMs = 90_000;

/**
 * Opens the home and brings the control plane up: store and API first, so that whoever asks is answered; then, in the background, what a
 * crash left behind, gateway, resources and services. What changes something waits for that. Throws `home_in_use`, `home_exposed`,
 * `admin_key_exposed`, `address_unavailable`.
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
  let reachedAt: string | undefined;
  const parts = await compose({
    paths,
    root,
    store: settings.store,
    clock,
    random,
    log,
    secrets,
    evaluationUrl: () => reachedAt,
    driftIntervalMs: settings.driftIntervalMs,
    webhookNetworks: settings.webhookNetworks,
    throughStore: settings.throughStore,
    onSuperseded: () => {
      log.error({}, 'another control plane has taken the lead of this state: this one ends, and leaves what runs to it');
      settings.onShutdown('keep');
    },
  });
  await parts.audit.open();
  await ensureAdminKey({ file: paths.adminKey, keyring: parts.keyring, random });

  let phase: Status['phase'] = 'starting';
  const ending = new AbortController();
  const closing = new AbortController();
  const taken = Promise.withResolvers<void>();
  const app = createApp({
    ...parts,
    clock,
    version: productVersion,
    allowedHosts: hostsFor(host),
    closing: closing.signal,
    shutdown: settings.onShutdown,
    report: (error, request) => log.error({ error, ...request }, 'a request met an unexpected error'),
    status: () => statusReport(parts, { home, root, startedAt, phase }),
    untilTakenUp: async () => {
      if (phase === 'starting') {
        const answered = new AbortController();
        const late = clock.sleep(takenUpWithinMs, AbortSignal.any([answered.signal, ending.signal])).catch(() => undefined);
        await Promise.race([taken.promise, late]);
        answered.abort();
      }
      if (phase === 'starting') throw sluiceError('control_plane_starting', {});
      if (phase === 'stopping') throw sluiceError('shutting_down', {});
    },
  });
  const server = await listen({ app, host, port, previousPort: portOf(previous?.url), clock, random });
  const { url } = server;
  reachedAt = url;
  await writeRecord(home, { ...record, url });
  await parts.events.publish({ type: 'control_plane.started', level: 'info', message: `The control plane answers at ${url}` });
  log.info({ url }, 'listening');
  const flagging = parts.flagParts.run(ending.signal);
  const rotating = parts.rotator.run(ending.signal);
  const takingUp = takeUp(parts, log, ending.signal).then(() => {
    if (phase === 'starting') phase = 'ready';
    taken.resolve();
  });
  // Needs nothing that is being taken up: what could not be told before the last control plane died is told now.
  const delivering = parts.deliveries.run(ending.signal);
  const rolling = takingUp.then(() => parts.flagRolling.run(ending.signal));
  const scaling = takingUp.then(() => parts.autoscaler.run(ending.signal));
  const caring = takingUp.then(() => parts.databaseCare.run(ending.signal));
  // Before everything is taken up, it would differ from what was applied.
  const watching = takingUp.then(() => parts.driftLoop?.run(ending.signal));
  const guarding = watchHome({ lock, clock, log, onLost: () => settings.onShutdown('stop') }, ending.signal);

  return {
    url,
    log,
    stop: async (workloads) => {
      log.info({ workloads }, 'stopping');
      phase = 'stopping';
      ending.abort(new Error('the control plane is ending'));
      const { forced, nothingRuns } = await putDown(parts, { workloads, takingUp, clock, log });
      await rotating;
      await flagging;
      await delivering;
      await watching;
      await rolling;
      await scaling;
      await caring;
      await guarding;
      // One that has lost the lead writes nothing more.
      await parts.events.publish(stoppedEvent(workloads, forced)).catch((error: unknown) => log.warn({ error }, 'its end is not recorded'));
      // Told before the streams end, so that those who follow hear of it.
      closing.abort(new Error('the control plane has ended'));
      await server.close();
      await parts.store.close();
      if (!lock.isThere()) await removeRestOf(paths);
      else if (nothingRuns) await writeRecord(home, { ...record, url, stoppedAt: timestamp(clock.now()) });
      lock.release();
      log.info({ nothingRuns }, 'ended');
    },
  };
}

function stoppedEvent(workloads: 'stop' | 'keep', forced: readonly string[]): NewEvent {
  const message =
    workloads === 'stop' ? 'Everything has been stopped; data is kept' : 'The control plane has ended; what it started runs on';
  return {
    type: 'control_plane.stopped',
    level: forced.length > 0 ? 'warning' : 'info',
    message: forced.length > 0 ? `${message}. Ended by force: ${forced.join(', ')}` : message,
    data: { workloads, forced: [...forced] },
  };
}

function portOf(url: string | undefined): number | undefined {
  const port = url === undefined ? '' : new URL(url).port;
  return port === '' ? undefined : Number(port);
}
