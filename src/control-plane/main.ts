import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { toSluiceError } from '../errors/sluice-error.ts';
import { startControlPlaneHere, type ControlPlane } from './control-plane.ts';

// The control plane's process: `main --home FOLDER --root FOLDER [--host ADDRESS] [--port NUMBER]`. It runs in the background, started by
// `startControlPlane`. SLUICE_STORE says where a new home keeps its state, SLUICE_DRIFT_INTERVAL how often it looks for drift (`30s`, `5m`,
// `1h`, `off`; default 5m), SLUICE_WEBHOOK_NETWORKS where webhooks may be sent (`public,private,loopback` unless given). SIGTERM and SIGINT
// end it and leave running what runs; POST /v1/shutdown can end both.

/** By then what answers has been compiled too, and not just what was loaded. */
const compiledMs = 1_000;

const exitCodes = { ended: 0, softwareError: 70, cannotStart: 78 };

const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    root: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string' },
  },
});

// From the environment and not the command line, which every user of the machine can read: it may hold a password. What this process
// starts does not inherit it.
const store = process.env['SLUICE_STORE'] || undefined;
delete process.env['SLUICE_STORE'];

let running: ControlPlane | undefined;
let ending: Promise<void> | undefined;

function end(workloads: 'stop' | 'keep'): void {
  if (running === undefined) process.exit(exitCodes.ended);
  ending ??= running.stop(workloads).then(
    () => process.exit(exitCodes.ended),
    (thrown: unknown) => fail(thrown, 'could not end cleanly'),
  );
}

/** Nothing is known to be in order any more. What runs goes on without this process; the next one adopts it. */
function fail(thrown: unknown, what: string): never {
  running?.log.fatal({ error: thrown }, what);
  const { message, help } = toSluiceError(thrown);
  console.error(`${what}: ${message}${help === '' ? '' : `\n  ${help}`}`);
  return process.exit(running === undefined ? exitCodes.cannotStart : exitCodes.softwareError);
}

process.on('uncaughtException', (thrown) => fail(thrown, 'uncaught exception'));
process.on('unhandledRejection', (thrown) => fail(thrown, 'unhandled rejection'));
// Before anything is started, so that a signal in between is not lost. A terminal that closes is no reason to end.
process.on('SIGTERM', () => end('keep'));
process.on('SIGINT', () => end('keep'));
process.on('SIGHUP', () => undefined);

/** Milliseconds of `30s`, `5m` or `1h`; undefined for `off`; five minutes for what is not given or not understood. */
function driftInterval(given: string | undefined): number | undefined {
  if (given === 'off') return undefined;
  const [, amount, unit = ''] = /^(\d{1,5})(s|m|h)$/.exec(given ?? '') ?? [];
  const milliseconds = Number(amount) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? Number.NaN);
  return milliseconds > 0 ? milliseconds : 300_000;
}

const port = values.port === undefined ? undefined : Number(values.port);
if (
  values.home === undefined ||
  values.root === undefined ||
  (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
) {
  console.error('usage: main --home FOLDER --root FOLDER [--host ADDRESS] [--port NUMBER]');
  process.exit(64);
}

try {
  running = await startControlPlaneHere({
    home: values.home,
    root: values.root,
    store,
    host: values.host,
    port,
    clock: systemClock,
    random: systemRandom,
    driftIntervalMs: driftInterval(process.env['SLUICE_DRIFT_INTERVAL']),
    webhookNetworks: process.env['SLUICE_WEBHOOK_NETWORKS'] || undefined,
    // After the answer has gone out.
    onShutdown: (workloads) => setImmediate(end, workloads),
  });
  // Node keeps what it has compiled when a process ends in order: after a kill the next start would take twice as long.
  const { home } = values;
  setTimeout(() => existsSync(home) && flushCompileCache(), compiledMs).unref();
} catch (thrown) {
  fail(thrown, 'the control plane cannot start');
}
