import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { createGatewayProcesses, type GatewayProcesses, gatewayProgram } from '../testing/gateway-processes.ts';
import { createLoad } from '../testing/load.ts';
import { ask } from '../testing/raw-client.ts';
import type { CrewMember } from '../crew-register.ts';

let gateway: GatewayProcesses;
let held: ServerResponse[] = [];

beforeEach(async () => {
  held = [];
  gateway = await createGatewayProcesses((req, res) => {
    if (req.url === '/held') held.push(res);
    else res.end('ok');
  });
  await gateway.start();
  await gateway.route();
});
afterEach(() => gateway.remove());

const servingOf = async (mainPid: number): Promise<readonly CrewMember[]> =>
  (await gateway.workers()).filter((worker) => worker.mainPid === mainPid && worker.state === 'serving');

test('a worker that is killed under load costs no request that began after, and is replaced', async () => {
  const { pid } = await gateway.main();
  const load = createLoad(gateway.publicPort);
  await until('load', () => load.answered() > 100);
  const [victim] = (await gateway.workers()) as [CrewMember];
  const killed = performance.now();
  process.kill(victim.pid, 'SIGKILL');
  await until('another worker', async () => {
    const workers = await servingOf(pid);
    return workers.length === 2 && workers.every((worker) => worker.pid !== victim.pid);
  });
  const before = load.answered();
  await until('load after', () => load.answered() > before + 100);
  const failures = await load.stop();
  expect(failures.filter(({ began }) => began > killed)).toEqual([]);
  expect(failures.length).toBeLessThanOrEqual(8);
});

test('what a killed worker had in flight vanishes from the report with it', async () => {
  const asked = Array.from({ length: 8 }, () => ask(gateway.publicPort, { path: '/held' }).catch(() => undefined));
  await until('all to be asked', () => held.length === 8);
  const admin = await gateway.admin();
  expect(await admin.report()).toMatchObject({ inFlight: 8, instances: [{ id: 'a', inFlight: 8 }] });
  for (const { pid } of await gateway.workers()) process.kill(pid, 'SIGKILL');
  await until('nothing in flight', async () => (await admin.report()).inFlight === 0);
  await Promise.all(asked);
  expect((await ask(gateway.publicPort)).body).toBe('ok');
});

test('a main process that is killed under load is replaced by its workers: nothing is refused, nothing fails', async () => {
  const before = await gateway.main();
  const load = createLoad(gateway.publicPort);
  await until('load', () => load.answered() > 50);
  process.kill(before.pid, 'SIGKILL');
  const after = await until('another main process', async () => {
    const main = await gateway.main();
    return main.pid !== before.pid && main;
  });
  await until('the workers of the first to have ended', async () =>
    (await gateway.workers()).every(({ mainPid }) => mainPid === after.pid),
  );
  const answered = load.answered();
  await until('load after', () => load.answered() > answered + 100);
  expect(await load.stop()).toEqual([]);
  const report = await (await gateway.admin()).report();
  expect(report).toMatchObject({ pid: after.pid, tableVersion: 1, inFlight: 0 });
});

test('what orphaned workers have in flight is in the report of the new main process until it ends', async () => {
  const before = await gateway.main();
  const answer = ask(gateway.publicPort, { path: '/held' });
  await until('it to be asked', () => held.length === 1);
  process.kill(before.pid, 'SIGKILL');
  await until('another main process', async () => (await gateway.main()).pid !== before.pid);
  const admin = await gateway.admin();
  expect(await admin.report()).toMatchObject({ inFlight: 1, instances: [{ id: 'a', inFlight: 1 }] });
  held[0]?.end('late');
  expect((await answer).body).toBe('late');
  await until('nothing in flight', async () => (await admin.report()).inFlight === 0);
});

test('a hand-over under load fails no request, and the old processes end when what they had has ended', async () => {
  const before = await gateway.main();
  const late = ask(gateway.publicPort, { path: '/held' });
  await until('it to be asked', () => held.length === 1);
  const load = createLoad(gateway.publicPort);
  await until('load', () => load.answered() > 50);
  await (await gateway.admin()).handOver(gatewayProgram);
  const after = await until('another main process', async () => {
    const main = await gateway.main();
    return main.pid !== before.pid && main;
  });
  const answered = load.answered();
  await until('load after', () => load.answered() > answered + 100);
  expect(await load.stop()).toEqual([]);
  expect(isAlive(before)).toBe(true);
  expect((await (await gateway.admin()).report()).pid).toBe(after.pid);
  held[0]?.end('late');
  expect((await late).body).toBe('late');
  await until('the old one to end', () => !isAlive(before));
  await until('only the new workers', async () => (await gateway.workers()).every(({ mainPid }) => mainPid === after.pid));
});

test('a successor that does not start leaves everything as it was', async () => {
  const before = await gateway.main();
  const load = createLoad(gateway.publicPort);
  const admin = await gateway.admin();
  for (const program of [[process.execPath, '--eval', 'process.exit(3)'], ['/nowhere/node']] as const) {
    await expect(admin.handOver(program)).rejects.toMatchObject({ code: 'gateway_start_failed' });
  }
  expect((await gateway.main()).pid).toBe(before.pid);
  await gateway.route({ backends: [] });
  expect((await ask(gateway.publicPort)).status).toBe(503);
  expect((await load.stop()).filter(({ reason }) => reason !== '503')).toEqual([]);
});

test('a worker that hangs is found and replaced, and meanwhile the others serve', { timeout: 30_000 }, async () => {
  const [victim] = (await gateway.workers()) as [CrewMember];
  process.kill(victim.pid, 'SIGSTOP');
  const load = createLoad(gateway.publicPort);
  await until('it to be replaced', () => !isAlive(victim));
  await load.stop();
  await until('two workers', async () => (await gateway.workers()).length === 2);
  expect((await ask(gateway.publicPort)).body).toBe('ok');
});
