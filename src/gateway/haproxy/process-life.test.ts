import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { Agent, createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { testPort } from '../../testing/test-port.ts';
import { until } from '../../testing/conditions.ts';
import { describeWith } from '../../testing/requires.ts';
import type { DataPlane } from '../data-plane.ts';
import type { RoutingTable, ServiceRoute } from '../routing-table.ts';
import { ask } from '../testing/raw-client.ts';
import { backend, listening, routeOf } from '../testing/rig.ts';
import { openPlane } from './testing/open-plane.ts';

describeWith('haproxy', 'the process of HAProxy', (binary) => {
  let folder = '';
  let upstream: Server;
  let upstreamPort = 0;
  let port = 0;
  const planes: DataPlane[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-haproxy-'));
    upstream = createServer((req, res) => (req.url === '/slow' ? setTimeout(() => res.end('slow'), 300) : res.end('ok')));
    upstreamPort = await listening(upstream);
    port = await testPort();
  });
  afterEach(async () => {
    for (const plane of planes.splice(0)) await plane.drain(0);
    upstream.close();
    upstream.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (internalPort = 0): Promise<{ plane: DataPlane; internalPort: number }> => {
    const plane = await openPlane(binary, folder);
    planes.push(plane);
    return { plane, ...(await plane.start({ host: '127.0.0.1', port: internalPort })) };
  };
  const tableOf = (version: number, more: Partial<ServiceRoute> = {}, ports = [port]): RoutingTable => ({
    version,
    listeners: ports.map((each, index) => ({ environment: index === 0 ? 'test' : `e${index}`, host: '127.0.0.1', port: each })),
    services: [routeOf({ backends: [backend('r1', 1, { a: upstreamPort })], ...more })],
  });
  const put = async (plane: DataPlane, ...table: Parameters<typeof tableOf>): Promise<void> => {
    const prepared = await plane.prepare(tableOf(...table), { tolerateTakenPorts: false });
    await prepared.commit();
  };
  const from = (host: string): Promise<string> =>
    ask(port, { host }).then(
      ({ body }) => body,
      (error: NodeJS.ErrnoException) => error.code ?? '',
    );
  const recordedPid = (): number => (JSON.parse(readFileSync(join(folder, 'haproxy.json'), 'utf8')) as { pid: number }).pid;
  const load = (): { stop(): Promise<Record<string, number>> } => {
    const done = new AbortController();
    const seen: Record<string, number> = {};
    const client = async (index: number): Promise<void> => {
      const agent = index % 2 === 0 ? false : new Agent({ keepAlive: true, maxSockets: 1 });
      while (!done.signal.aborted) {
        const outcome = await ask(port, { agent }).then(({ body }) => body, String);
        seen[outcome] = (seen[outcome] ?? 0) + 1;
      }
      if (agent) agent.destroy();
    };
    const clients = Array.from({ length: 8 }, (_each, index) => client(index));
    return {
      stop: async () => {
        done.abort();
        await Promise.all(clients);
        return seen;
      },
    };
  };

  test('is replaced for a listener, while a service goes from its own way to the other, without a failed request', async () => {
    const { plane } = await open();
    await put(plane, 1);
    const running = load();
    const pids = new Set([recordedPid()]);
    for (let version = 2; version < 8; version += 1) {
      const extra = await testPort();
      const limits = { concurrency: 50, queue: 100, queueMs: 5_000 + version, priority: 'normal' as const };
      await put(plane, version, version % 2 === 0 ? {} : { limits }, version % 2 === 0 ? [port, extra] : [port]);
      await until('another process to be on record', () => !pids.has(recordedPid()));
      pids.add(recordedPid());
    }
    expect(Object.keys(await running.stop())).toEqual(['ok']);
    await until('only one process to be left', async () => (await readdir(folder)).filter((name) => name.endsWith('.cfg')).length === 1);
  });

  test('that dies is started again, and who connects meanwhile waits instead of being refused', async () => {
    const { plane } = await open();
    await put(plane, 1);
    const before = recordedPid();
    process.kill(before, 'SIGKILL');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port)));
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, () => 'ok'));
    await until('another process to be on record', () => recordedPid() !== before);
  });

  test('goes on serving when the process that started it is killed, and is relieved by the next', async () => {
    const entry = fileURLToPath(new URL('./testing/plane-process.ts', import.meta.url));
    const child = spawn(process.execPath, [entry, binary, folder, JSON.stringify(tableOf(1))], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const internalPort = Number(line.toString());
    const before = recordedPid();
    const running = load();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await ask(port)).body).toBe('ok');
    const second = await open(internalPort);
    expect(second.internalPort).toBe(internalPort);
    await put(second.plane, 2);
    await until('another process to be on record', () => recordedPid() !== before);
    const seen = await running.stop();
    // With nobody left to hand the socket over the next one binds it anew.
    const failed = Object.entries(seen).filter(([outcome]) => outcome !== 'ok' && !outcome.includes('ECONNREFUSED'));
    // What the kernel has accepted for the one before, and that has not fetched it when it stops, is lost: see docs/gateway.md.
    expect(failed.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(8);
    expect(seen['ok']).toBeGreaterThan(20);
  });

  test('moves to another address of the same port, and stays where it was when the table is refused', async () => {
    const { plane, internalPort } = await open();
    const at = async (version: number, host: string, more: readonly number[] = []): Promise<void> => {
      const table = tableOf(version, {}, [port, ...more]);
      const listeners = table.listeners.map((each, index) => (index === 0 ? { ...each, host } : each));
      const prepared = await plane.prepare({ ...table, listeners }, { tolerateTakenPorts: false });
      await prepared.commit();
    };
    await at(1, '127.0.0.1');
    expect([await from('127.0.0.1'), await from('127.0.0.2')]).toEqual(['ok', 'ECONNREFUSED']);
    await at(2, '0.0.0.0');
    expect([await from('127.0.0.1'), await from('127.0.0.2')]).toEqual(['ok', 'ok']);
    await expect(at(3, '127.0.0.2', [internalPort])).rejects.toMatchObject({ code: 'gateway_port_taken' });
    expect([await from('127.0.0.1'), await from('127.0.0.2')]).toEqual(['ok', 'ok']);
    await at(4, '127.0.0.2');
    expect([await from('127.0.0.1'), await from('127.0.0.2')]).toEqual(['ECONNREFUSED', 'ok']);
  });

  test('passes on what comes to the plain listener of an encrypted environment, and reports both', async () => {
    const { plane } = await open();
    const encrypted = await testPort();
    const table = tableOf(1);
    const listeners = table.listeners.map((each) => ({ ...each, tls: { port: encrypted, certificates: [] }, redirectToTls: true }));
    const prepared = await plane.prepare({ ...table, listeners }, { tolerateTakenPorts: false });
    await prepared.commit();
    const answer = await ask(port);
    expect([answer.status, answer.headers['location']]).toEqual([308, `https://app.test:${encrypted}/`]);
    expect((await plane.report()).listeners.map((each) => each.port)).toEqual([port, encrypted]);
  });

  test('keeps its files to its owner, and leaves none when it is drained', async () => {
    const { plane } = await open();
    await put(plane, 1);
    await until('it to be on record', async () => (await readdir(folder)).includes('haproxy.json'));
    for (const name of await readdir(folder)) expect([name, (await stat(join(folder, name))).mode & 0o077]).toEqual([name, 0]);
    await plane.drain(0);
    planes.length = 0;
    expect((await readdir(folder)).filter((name) => /\.(?:cfg|map|sock|json)$/.test(name))).toEqual([]);
  });

  test('a client that is connected when a drain begins is answered, though it is the only one and asks late', async () => {
    const { plane } = await open();
    await put(plane, 1);
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    const drained = plane.drain(300_000);
    planes.length = 0;
    const isRefused = (): Promise<boolean> =>
      ask(port).then(
        () => false,
        ({ code }: NodeJS.ErrnoException) => code === 'ECONNREFUSED',
      );
    await until('nobody else to be let in', isRefused);
    client.write('GET / HTTP/1.1\r\nhost: app.test\r\n\r\n');
    const answer = await Promise.race([once(client, 'data').then(String), once(client, 'close').then(() => 'closed')]);
    expect(answer).toContain('HTTP/1.1 200 OK');
    client.destroy();
    await drained;
  });

  test('a drain ends when what runs has ended', async () => {
    const { plane } = await open();
    await put(plane, 1);
    const slow = ask(port, { path: '/slow' });
    await until('it to be with the instance', async () => (await plane.report()).inFlight === 1);
    const since = systemClock.monotonic();
    await plane.drain(10_000);
    planes.length = 0;
    expect((await slow).body).toBe('slow');
    expect(systemClock.monotonic() - since).toBeLessThan(5_000);
  });
});
