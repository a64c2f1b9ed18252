import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../effects/ports.ts';
import { testPort } from '../testing/test-port.ts';
import { until } from '../testing/conditions.ts';
import { type AdminClient, createAdminClient } from './control/admin-client.ts';
import { gatewayFiles } from './gateway-files.ts';
import { recordedProcess } from './gateway-folder.ts';
import type { RoutingTable } from './routing-table.ts';
import { bareEnvironment } from './testing/gateway-processes.ts';
import { ask, exchangeBytes } from './testing/raw-client.ts';
import { backend, listening, routeOf } from './testing/rig.ts';

const entry = fileURLToPath(new URL('main.ts', import.meta.url));
let folder = '';
let children: ChildProcess[] = [];
let upstream: Server;
let held: ServerResponse | undefined;
let table: RoutingTable;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-gateway-'));
  held = undefined;
  upstream = createServer((req, res) => {
    if (req.url === '/held') held = res;
    else res.end('ok');
  });
  const port = await listening(upstream);
  // Not the port that every gateway would choose first: tests run at the same time.
  const internal = { host: '127.0.0.1', port: await testPort() };
  await writeFile(gatewayFiles(folder).settings, JSON.stringify({ internal, workers: 2 }));
  table = {
    version: 1,
    listeners: [{ environment: 'test', host: '127.0.0.1', port: await testPort() }],
    services: [routeOf({ backends: [backend('r1', 1, { a: port })] })],
  };
});
afterEach(async () => {
  for (const child of children) endGroup(child);
  children = [];
  upstream.close();
  upstream.closeAllConnections();
  // Workers write what they have compiled when they like.
  await rm(folder, { recursive: true, maxRetries: 5, retryDelay: 50 });
});

/** With its workers, as when the machine takes everything down. */
function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid as number), 'SIGKILL');
  } catch {
    // It has ended.
  }
}

const publicPort = (): number => table.listeners[0]?.port as number;

async function start(
  env = bareEnvironment(),
): Promise<{ child: ChildProcess; admin: AdminClient; url: string; token: string; ended: Promise<unknown[]> }> {
  const child = spawn(process.execPath, [entry, folder], { stdio: 'inherit', env, detached: true });
  children.push(child);
  const ended = once(child, 'exit');
  const { adminUrl } = await until('the gateway to serve', async () => {
    const recorded = await recordedProcess(folder);
    return recorded?.pid === child.pid ? recorded : undefined;
  });
  const token = await readFile(gatewayFiles(folder).token, 'utf8');
  return { child, admin: createAdminClient({ url: adminUrl, token }), url: adminUrl, token, ended };
}

const isRefused = ({ code }: NodeJS.ErrnoException): boolean => code === 'ECONNREFUSED';

test('serves its last table at once after a kill, on the same ports and without a control plane', async () => {
  const first = await start();
  await first.admin.putTable(table);
  const { internalUrl } = await first.admin.report();
  expect((await ask(publicPort())).body).toBe('ok');
  endGroup(first.child);
  await first.ended;
  const second = await start();
  expect((await ask(publicPort())).body).toBe('ok');
  expect(await second.admin.report()).toMatchObject({ tableVersion: 1, internalUrl, listeners: table.listeners });
});

test('answers within a second of its start on a machine that is free; here within what a busy one takes', async () => {
  const first = await start();
  await first.admin.putTable(table);
  endGroup(first.child);
  await first.ended;
  const begun = performance.now();
  const second = start();
  await until('the first answer', () =>
    ask(publicPort()).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  const took = performance.now() - begun;
  expect(took).toBeLessThan(20_000);
  const { child } = await second;
  // What it has computed up to then is the same on any machine that is as fast.
  const stat = await readFile(`/proc/${child.pid}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return;
  const [user = '0', system = '0'] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  expect((Number(user) + Number(system)) * 10).toBeLessThan(2_000);
});

test('starts although its snapshot is damaged, keeps the file aside and says so', async () => {
  await writeFile(gatewayFiles(folder).snapshot, '{"version":1,');
  const { admin } = await start();
  const report = await admin.report();
  expect(report.tableVersion).toBeUndefined();
  expect(report.warnings).toMatchObject([expect.stringContaining('damaged')]);
  expect((await readdir(folder)).filter((name) => name.startsWith('table.json.damaged-'))).toHaveLength(1);
  await admin.putTable(table);
  expect((await ask(publicPort())).body).toBe('ok');
});

test('starts although a public port is taken, and listens as soon as it is free', async () => {
  const first = await start();
  await first.admin.putTable(table);
  endGroup(first.child);
  await first.ended;
  const thief = createServer((_req, res) => res.end('thief'));
  await until('the port to be free', () => freePort('127.0.0.1', publicPort()).then((free) => free === publicPort()));
  await once(thief.listen(publicPort(), '127.0.0.1'), 'listening');
  const { admin } = await start();
  expect((await admin.report()).listeners).toMatchObject([{ environment: 'test', closedBecause: expect.stringContaining('EADDRINUSE') }]);
  thief.close();
  thief.closeAllConnections();
  await until('the gateway to listen', async () => (await ask(publicPort()).catch(() => undefined))?.body === 'ok');
});

test('keeps what was compiled while it serves, of its workers too, so that a start after a kill finds it', async () => {
  await start({});
  const kept = await until('modules to be kept', async () => {
    const found = await readdir(gatewayFiles(folder).compileCache, { recursive: true }).catch(() => []);
    // Of a module of the sources there are two files. The main process alone has fewer.
    return found.length > 400 ? found : undefined;
  });
  expect(kept.length).toBeGreaterThan(400);
});

test('takes orders only with its token, and refuses what it must with its reason', async () => {
  const { admin, url, token } = await start();
  for (const authorization of [undefined, '', 'Bearer', 'Bearer wrong', `Basic ${token}`, token]) {
    const answer = await fetch(`${url}/status`, authorization === undefined ? {} : { headers: { authorization } });
    expect(answer.status).toBe(401);
  }
  const authorization = `Bearer ${token}`;
  expect((await fetch(`${url}/table`, { method: 'PUT', body: '{', headers: { authorization } })).status).toBe(422);
  expect((await fetch(`${url}/other`, { headers: { authorization } })).status).toBe(404);
  await admin.putTable({ ...table, version: 5 });
  await expect(admin.putTable({ ...table, version: 4 })).rejects.toMatchObject({ code: 'gateway_table_stale', retry: 'retry' });
  await expect(createAdminClient({ url, token: 'wrong' }).report()).rejects.toMatchObject({ code: 'gateway_admin_refused' });
  await expect(createAdminClient({ url: `http://127.0.0.1:${await testPort()}`, token }).report()).rejects.toMatchObject({
    code: 'gateway_unreachable',
  });
});

test('a change is told to who knows the table in force, and one that cannot be made durable is taken back', async () => {
  const { admin } = await start();
  await admin.putTable(table);
  const gone: RoutingTable = { ...table, version: 2, services: [routeOf({ backends: [] })] };
  // A file cannot be put in the place of a folder.
  const { snapshot } = gatewayFiles(folder);
  await rm(snapshot);
  await mkdir(snapshot);
  await expect(admin.amendTable(table, gone)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect((await ask(publicPort())).body).toBe('ok');
  expect((await admin.report()).tableVersion).toBe(1);
  await rm(snapshot, { recursive: true });
  await admin.amendTable(table, gone);
  expect((await ask(publicPort())).status).toBe(503);
  await expect(admin.amendTable(table, { ...table, version: 3 })).rejects.toMatchObject({ code: 'gateway_table_stale' });
  await admin.amendTable(gone, { ...table, version: 3 });
  expect((await ask(publicPort())).body).toBe('ok');
  expect(JSON.parse(await readFile(snapshot, 'utf8'))).toMatchObject({ ...table, version: 3 });
});

test.each(['SIGTERM', 'drain-and-exit'])('%s: no new connections, running requests finish, then it ends', async (way) => {
  const { child, admin, ended } = await start();
  await admin.putTable(table);
  const answer = ask(publicPort(), { path: '/held' });
  await until('the instance to be asked', () => held);
  if (way === 'SIGTERM') child.kill('SIGTERM');
  else await admin.drainAndExit(10_000);
  await until('new connections to be refused', () => ask(publicPort()).then(() => false, isRefused));
  held?.end('finished');
  expect((await answer).body).toBe('finished');
  expect(await ended).toEqual([0, null]);
});

test('ends when its folder was removed, as soon as running requests have finished, and leaves nothing there', async () => {
  const { admin, ended } = await start();
  await admin.putTable(table);
  const answer = ask(publicPort(), { path: '/held' });
  await until('the instance to be asked', () => held);
  await rm(folder, { recursive: true, maxRetries: 5, retryDelay: 50 });
  expect((await ask(publicPort())).body).toBe('ok');
  await until('new connections to be refused', () => ask(publicPort()).then(() => false, isRefused));
  held?.end('finished');
  expect((await answer).body).toBe('finished');
  expect(await ended).toEqual([0, null]);
  expect(existsSync(folder)).toBe(false);
  await mkdir(folder);
});

test('drain-and-exit ends at its deadline whatever still runs', async () => {
  const { admin, ended } = await start();
  await admin.putTable(table);
  const answer = ask(publicPort(), { path: '/held' });
  answer.catch(() => {});
  await until('the instance to be asked', () => held);
  await admin.drainAndExit(100);
  expect(await ended).toEqual([0, null]);
  await expect(answer).rejects.toThrow(/hang up|ECONNRESET/);
});

test('a flood of broken requests leaves it serving', async () => {
  const { admin } = await start();
  await admin.putTable(table);
  await Promise.all(Array.from({ length: 200 }, (_each, index) => exchangeBytes(publicPort(), `BROKEN ${index}\r\n\r\n`)));
  expect((await ask(publicPort())).body).toBe('ok');
  const log = await readFile(gatewayFiles(folder).log, 'utf8');
  expect(log.split('\n').length).toBeLessThan(120);
});

test('a folder that cannot be used ends it with a word on standard error', async () => {
  await mkdir(gatewayFiles(folder).snapshot);
  const child = spawn(process.execPath, [entry], { stdio: ['ignore', 'ignore', 'pipe'], env: bareEnvironment() });
  children.push(child);
  const [output] = (await once(child.stderr, 'data')) as [Buffer];
  expect(output.toString()).toContain('usage');
  expect(await once(child, 'exit')).toEqual([2, null]);
});
