import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { freePort } from '../../effects/ports.ts';
import { testPort } from '../../testing/test-port.ts';
import { silentLog } from '../log.ts';
import { startWorker } from '../worker/worker-link.ts';
import { createWorkerPool, type WorkerPool } from '../worker/worker-pool.ts';
import { bareEnvironment } from '../testing/gateway-processes.ts';
import { createListeners, type Listeners } from './listeners.ts';

const entry = fileURLToPath(new URL('../worker/main.ts', import.meta.url));
let folder = '';
let pools: WorkerPool[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-listeners-'));
});
afterEach(async () => {
  for (const pool of pools) pool.kill();
  pools = [];
  await rm(folder, { recursive: true, force: true });
});

const nothing = async (): Promise<void> => {};

/** Of a gateway of its own, with one worker. */
async function gatewayListeners(): Promise<Listeners> {
  const pool = createWorkerPool({
    count: 1,
    spawn: (elders, onNotice) =>
      startWorker({ entry, parameters: { folder, mainPid: process.pid, elders, observing: {} }, environment: bareEnvironment(), onNotice }),
    clock: systemClock,
    log: silentLog,
    onEjected: () => {},
    pulse: { intervalMs: 500, missed: 8 },
  });
  pools.push(pool);
  await pool.start();
  return createListeners({
    crew: pool,
    makeRoom: nothing,
    stopAccepting: () => {},
    awaitRoom: nothing,
    serveAgain: nothing,
    inherited: new Map(),
    relayOf: (name) => join(folder, name),
  });
}

test('of two gateways that open the same port at the same moment one has it, and the other is told', async () => {
  const both = await Promise.all([gatewayListeners(), gatewayListeners()]);
  for (let round = 0; round < 5; round += 1) {
    const port = await testPort();
    const wanted = [{ environment: 'test', host: '127.0.0.1', port }];
    const outcomes = await Promise.allSettled(both.map((listeners) => listeners.prepare(wanted, false)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toMatchObject([{ code: 'gateway_port_taken' }]);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.discard();
    // Nobody keeps it any more.
    expect(await freePort('127.0.0.1', port)).toBe(port);
  }
});
