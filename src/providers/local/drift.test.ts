import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../../effects/random.ts';
import { until } from '../../testing/conditions.ts';
import type { Applied } from '../provider.ts';
import { findServer } from './database/postgres-server.ts';
import { createDerivedSecrets } from './derived-secrets.ts';
import { blockOf, type LocalFixture, localFixture, operationOf, requestOf, stackOf, stateOf, textsOf, updateOf } from './local-fixture.ts';
import { cgroupSupport } from './machine/cgroup-support.ts';

describe('what is changed outside of a database', () => {
  let local: LocalFixture;
  let folder: string;
  let applied: Applied;
  let request: ReturnType<typeof requestOf>;
  beforeAll(async () => {
    local = await localFixture();
    folder = join(local.home, 'databases', 'default', 'orders');
    const fields = { name: 'orders', type: 'PostgreSQL', version: '15', sku: 'Burstable_1_vCPU', storage_gb: 10, backup_retention_days: 1 };
    request = requestOf(local.root, blockOf('database', fields));
    applied = await local.provider.create(request, operationOf('one'));
  });
  afterAll(async () => {
    await local.provider.delete(stateOf(request, applied), operationOf('end'));
    await local.remove();
  });

  const look = async () => {
    const observation = await local.provider.read(stateOf(request, applied));
    return observation.status === 'present' ? observation.drift : observation;
  };
  const asAdministrator = async (sql: string): Promise<unknown> => {
    const secrets = createDerivedSecrets(local.home, systemRandom);
    const { host = '', port } = textsOf(applied);
    const password = await secrets.derive(applied.id, 'database administrator', 32);
    const client = new pg.Client({ host, port: Number(port), user: 'sluice_admin', password, database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql);
    await client.end();
    return Object.values(rows[0] ?? {})[0];
  };
  const repair = () => local.provider.update(updateOf(request, applied), operationOf('repair'));

  it('is nothing at first, and settings of the user are the user’s own', async () => {
    expect(await look()).toEqual([]);
    await asAdministrator("ALTER SYSTEM SET work_mem = '8MB'");
    expect(await look()).toEqual([]);
  });

  it('is a setting changed by ALTER SYSTEM, before and after it has taken effect; an update takes it back', async () => {
    await asAdministrator('ALTER SYSTEM SET max_connections = 17');
    expect(await look()).toEqual([{ field: 'settings.max_connections', applied: '50', observed: '17' }]);
    await local.provider.suspend(stateOf(request, applied));
    await local.provider.resume(stateOf(request, applied));
    expect(await asAdministrator('SHOW max_connections')).toBe('17');
    expect(await look()).toMatchObject([{ field: 'settings.max_connections' }]);
    await repair();
    expect([await look(), await asAdministrator('SHOW max_connections'), await asAdministrator('SHOW work_mem')]).toEqual([
      [],
      '50',
      '8MB',
    ]);
  });

  it('is a line somebody added to postgresql.conf, or changed in the file of Sluice', async () => {
    const [main, own] = [join(folder, 'data', 'postgresql.conf'), join(folder, 'data', 'sluice.conf')];
    writeFileSync(main, `${readFileSync(main, 'utf8')}max_connections = 23\n`);
    writeFileSync(own, readFileSync(own, 'utf8').replace("log_timezone = 'UTC'", "log_timezone = 'CET'"));
    expect(await look()).toEqual([
      { field: 'settings.max_connections', applied: '50', observed: '23' },
      { field: 'settings.log_timezone', applied: 'UTC', observed: 'CET' },
    ]);
    await repair();
    expect([await look(), await asAdministrator('SHOW max_connections')]).toEqual([[], '50']);
  });

  it('is a server that was killed; an update runs it again', async () => {
    const server = await findServer(folder);
    process.kill(server?.pid ?? 0, 'SIGKILL');
    await until('it to be gone', async () => (await findServer(folder)) === undefined);
    expect(await look()).toEqual([{ field: 'state', applied: 'running', observed: 'stopped' }]);
    await repair();
    expect(await look()).toEqual([]);
  });
});

describe('what is changed outside of a secret and a machine', () => {
  let local: LocalFixture;
  beforeAll(async () => {
    local = await localFixture();
  });
  afterAll(() => local.remove());

  it('is the file a secret is from, told without any value', async () => {
    writeFileSync(join(local.root, 'key.txt'), 'canary-before');
    const block = blockOf('secret', { name: 'key', value: { file: 'key.txt' } });
    const fingerprint = await local.provider.fingerprint(block, stackOf(local.root, [block]));
    const request = { ...requestOf(local.root, block), fingerprint };
    const state = stateOf(request, await local.provider.create(request, operationOf('one')));
    expect(await local.provider.read(state)).toEqual({ status: 'present', drift: [] });
    writeFileSync(join(local.root, 'key.txt'), 'canary-after');
    const changed = { field: 'value', applied: 'as applied', observed: 'changed at its source' };
    expect(await local.provider.read(state)).toEqual({ status: 'present', drift: [], sources: [changed] });
    writeFileSync(join(local.root, 'key.txt'), 'canary-before');
    expect(await local.provider.read(state)).toEqual({ status: 'present', drift: [] });
  });

  it.skipIf(cgroupSupport().version === 'none')('is a limit of a control group; an update sets it again', async () => {
    const fields = { name: 'vm', resource_group_name: 'g', size: 'Standard_D2s_v3', image: 'UbuntuServer:20.04-LTS:latest' };
    const request = requestOf(local.root, blockOf('virtual_machine', { ...fields, network_interface: { name: 'n' } }));
    const applied = await local.provider.create(request, operationOf('one'));
    const state = stateOf(request, applied);
    expect(await local.provider.read(state)).toEqual({ status: 'present', drift: [] });
    const groups = applied.outputs['cgroups']?.value as readonly string[];
    writeFileSync(join(groups.at(-1) ?? '', 'pids.max'), '77');
    expect(await local.provider.read(state)).toEqual({
      status: 'present',
      drift: [{ field: 'limits.pids.max', applied: '2048', observed: '77' }],
    });
    await local.provider.update(updateOf(request, applied), operationOf('repair'));
    expect(await local.provider.read(state)).toEqual({ status: 'present', drift: [] });
    await local.provider.delete(state, operationOf('end'));
  });
});
