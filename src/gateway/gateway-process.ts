import { systemClock, timestamp } from '../effects/clock.ts';
import { writeDurably } from '../effects/files.ts';
import { identify } from '../effects/processes.ts';
import { seededRandom, systemRandom } from '../effects/random.ts';
import { createAdminServer } from './admin/admin-server.ts';
import type { GatewayProcess } from './admin/gateway-report.ts';
import { adminTokenOf, gatewayFiles, settingsOf } from './gateway-folder.ts';
import { createGateway } from './gateway.ts';
import { createIdentifiers } from './http/trace.ts';
import { listen } from './listening/listen.ts';
import { type GatewayLog, openLog } from './log.ts';
import { openObserver } from './measuring/open-observer.ts';
import { createSnapshot } from './table/snapshot.ts';
import { gatewayVersion } from './version.ts';

const signalDrainMs = 30_000;

/**
 * The gateway as a process of its own. Resolves once it serves; it then lives until a signal or `drain-and-exit`. Throws
 * `gateway_port_taken` when the internal address is taken: what then has to be done is the control plane's to decide.
 */
export async function runGatewayProcess(folder: string): Promise<void> {
  const clock = systemClock;
  const files = gatewayFiles(folder);
  const log = openLog(files.log, clock);
  keepAliveThroughFaults(log);
  const settings = await settingsOf(folder);
  const observer = openObserver({
    folder,
    worker: '1',
    settings,
    environment: process.env,
    clock,
    random: systemRandom,
    identifier: createIdentifiers(systemRandom),
    log,
    version: gatewayVersion,
  });
  const gateway = createGateway({
    snapshot: createSnapshot(files.snapshot, () => clock.now()),
    clock,
    random: seededRandom(Math.floor(systemRandom.next() * 2 ** 32)),
    identifiers: systemRandom,
    log,
    ...(observer && { observer }),
  });
  await gateway.start(settings.internal);
  const exitAfterDrain = once((deadlineMs: number): void => {
    log.info({ deadlineMs }, 'draining');
    gateway
      .drain(deadlineMs)
      .then(() => observer?.close())
      .catch((error: unknown) => log.error({ reason: String(error) }, 'drain failed'))
      .finally(() => {
        log.info({}, 'gateway ended');
        process.exit(0);
      });
  });
  const token = await adminTokenOf(folder, systemRandom);
  const admin = createAdminServer({ gateway, token, onDrainRequested: exitAfterDrain });
  const adminPort = await listen(admin, '127.0.0.1', 0);
  process.on('SIGTERM', () => exitAfterDrain(signalDrainMs));
  process.on('SIGINT', () => exitAfterDrain(signalDrainMs));
  await writeDurably(files.process, JSON.stringify(describeProcess(adminPort)));
  log.info({ tableVersion: gateway.report().tableVersion, internalUrl: gateway.report().internalUrl }, 'gateway serves');
}

function describeProcess(adminPort: number): GatewayProcess {
  const identity = identify(process.pid);
  return {
    pid: process.pid,
    startTime: identity?.startTime ?? 'unknown',
    startedAt: timestamp(systemClock.now()),
    adminUrl: `http://127.0.0.1:${adminPort}`,
  };
}

/** One broken request must not end all others: a fault that nothing caught is logged, and the gateway goes on. */
function keepAliveThroughFaults(log: GatewayLog): void {
  process.on('uncaughtException', (error) => log.error({ reason: error.message, stack: error.stack }, 'uncaught exception'));
  process.on('unhandledRejection', (reason) => log.error({ reason: String(reason) }, 'unhandled rejection'));
}

function once(act: (deadlineMs: number) => void): (deadlineMs: number) => void {
  let isDone = false;
  return (deadlineMs) => {
    if (isDone) return;
    isDone = true;
    act(deadlineMs);
  };
}
