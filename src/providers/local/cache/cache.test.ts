import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../effects/ports.ts';
import { isAlive } from '../../../effects/processes.ts';
import { until } from '../../../testing/conditions.ts';
import { describeWith } from '../../../testing/requires.ts';
import type { Applied, CreateRequest } from '../../provider.ts';
import {
  blockOf,
  type LocalFixture,
  localFixture,
  operationOf,
  providerOver,
  requestOf,
  stackOf,
  stateOf,
  updateOf,
  textsOf,
} from '../local-fixture.ts';
import { findCacheServer } from './cache-server.ts';
import { answersPing } from './redis-protocol.ts';

describe('the plan of a cache', () => {
  it('is refused where no server is on PATH, with what to install', async () => {
    const local = await localFixture({ PATH: '/nonexistent' });
    const problems = await local.provider.check(stackOf(local.root, [blockOf('cache', { name: 'sessions' })]));
    expect(problems).toMatchObject([{ severity: 'error', code: 'cache_server_missing', address: 'default/cache/sessions' }]);
    expect(problems[0]?.message).toContain('valkey-server, redis-server');
    await local.remove();
  });
});

describe('asking a cache server', () => {
  let server: Server;
  afterEach(() => server.close());

  const answering = async (reply: string): Promise<boolean> => {
    server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(reply))).listen(0, '127.0.0.1');
    await until('the server listens', () => server.listening);
    const address = server.address();
    return answersPing({ host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0, password: 'x' });
  };

  it('is answered only by one that accepts the password', async () => {
    expect(await answering('+OK\r\n+PONG\r\n')).toBe(true);
    server.close();
    expect(await answering('-WRONGPASS\r\n-NOAUTH\r\n')).toBe(false);
    server.close();
    expect(await answering('HTTP/1.1 400 Bad Request\r\n\r\n')).toBe(false);
  });
});

describeWith('redis-server', 'a cache on this machine', () => {
  let local: LocalFixture;
  let folder: string;
  let request: CreateRequest;
  let applied: Applied;
  let values: Readonly<Record<string, string>>;
  beforeAll(async () => {
    local = await localFixture();
    folder = join(local.home, 'caches', 'default', 'sessions');
    request = requestOf(local.root, blockOf('cache', { name: 'sessions', type: 'Redis', memory: '16Mi' }));
    applied = await local.provider.create(request, operationOf('one'));
    values = textsOf(applied);
  });
  afterAll(async () => {
    await local.provider.delete(stateOf(request, applied), operationOf('end'));
    await local.remove();
  });
  const state = () => stateOf(request, applied);
  const answers = (password = values['password'] ?? '') => answersPing({ host: '127.0.0.1', port: Number(values['port']), password });

  it('is a server that lets nobody in without the password, which no file holds', async () => {
    expect([await answers(), await answers('guess')]).toEqual([true, false]);
    expect(values['url']).toBe(`redis://:${values['password']}@127.0.0.1:${values['port']}/0`);
    expect(applied.outputs).toMatchObject({ url: { secret: true }, password: { secret: true } });
    for (const file of ['server.conf', 'server.log']) expect(readFileSync(join(folder, file), 'utf8')).not.toContain(values['password']);
    expect(readFileSync(join(folder, 'server.conf'), 'utf8')).toContain(`maxmemory ${16 * 2 ** 20}`);
  });

  it.skipIf(process.getuid?.() !== 0)('does not run with the rights of root', async () => {
    expect(statSync(`/proc/${(await findCacheServer(folder))?.pid}`).uid).toBe(65_534);
  });

  it('is made once for one operation, and adopted by another control plane', async () => {
    const before = await findCacheServer(folder);
    expect(await providerOver(local).create(request, operationOf('one'))).toEqual(applied);
    await providerOver(local).resume(state());
    expect(await findCacheServer(folder)).toEqual(before);
  });

  it('is seen to have died and is run again on its port', async () => {
    const before = await findCacheServer(folder);
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await until('the server is gone', () => before !== undefined && !isAlive(before));
    expect(await local.provider.read(state())).toMatchObject({ drift: [{ field: 'state', observed: 'stopped' }] });
    expect(await local.provider.update(updateOf(request, applied, { memory: '32Mi' }), operationOf('repair'))).toEqual(applied);
    expect(await answers()).toBe(true);
  });

  it('leaves no process, port or file when it is deleted', async () => {
    const before = await findCacheServer(folder);
    await local.provider.suspend(state());
    expect(before && isAlive(before)).toBe(false);
    await local.provider.resume(state());
    await local.provider.delete(state(), operationOf('end'));
    expect(await freePort('127.0.0.1', Number(values['port']))).toBe(Number(values['port']));
    expect(readdirSync(local.home)).toEqual(['local.key']);
  });
});
