import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createReleaseRecords } from '../release/release-records.ts';
import { address, createServiceFixture, newOperation, type ServiceFixture } from './testdata/service-fixture.ts';

const url = 'postgres://agent:secret@127.0.0.1/db';
const http = 'health: { path: /healthz, interval: 100ms, start_period: 20s }';
const fields = [http, 'migrations: { path: migrations, database: db }'];
const database = `database:\n  - { name: db, type: PostgreSQL, version: "15", sku: GeneralPurpose_1_vCPU, storage_gb: 1 }\n`;

let fixture: ServiceFixture;
beforeEach(async () => {
  fixture = await createServiceFixture();
  await mkdir(join(fixture.root, 'migrations'));
});
afterEach(async () => {
  await fixture.dispose();
});

const write = (name: string, sql: string): Promise<void> => writeFile(join(fixture.root, 'migrations', name), sql);

async function apply(more: readonly string[] = [], lines: string[] = []): Promise<string> {
  const request = await fixture.request(await fixture.stack([...fields, ...more], database));
  const applied = await fixture.provider.create(request, newOperation({ progress: (line) => lines.push(line) }));
  return applied.outputs['release']?.value as string;
}

it('changes the database before the first instance starts, and a destructive step waits for the releases that need the old shape', async () => {
  await write('001_add.expand.sql', 'CREATE TABLE a (x int);');
  const lines: string[] = [];
  const first = await apply([], lines);
  expect(lines.slice(0, 2)).toEqual([`release ${first}`, 'migration 001_add.expand.sql']);
  expect(lines.indexOf('migration 001_add.expand.sql')).toBeLessThan(lines.indexOf('0/1 instances ready'));

  await write('002_fill.migrate.sql', 'UPDATE a SET x = 1;');
  await write('003_drop.contract.sql', 'ALTER TABLE a DROP COLUMN x;');
  const told: string[] = [];
  await apply([], told);
  expect(told).toContain('migration 002_fill.migrate.sql');
  expect(told.at(-1)).toBe(`migration 003_drop.contract.sql waits while ${first} may be started again`);
  expect(fixture.migrations.journalOf(url)).toEqual(['001_add.expand.sql', '002_fill.migrate.sql']);

  // As when nine more releases have pushed the first one out.
  const records = createReleaseRecords(fixture.store);
  await fixture.store.transact([{ operation: 'delete', collection: 'releases', key: `default/agent/${first}` }]);
  await apply(['env: { A: b }']);
  expect(fixture.migrations.journalOf(url)).toContain('003_drop.contract.sql');
  expect((await records.list('default', 'agent')).map(({ id }) => id)).not.toContain(first);

  // What was taken away does not come back with an old folder.
  await rm(join(fixture.root, 'migrations', '003_drop.contract.sql'));
  await expect(apply()).rejects.toMatchObject({ code: 'migration_shape_gone' });
});

it('leaves a rollout by stages to itself, and runs the destructive step that came due once it has ended', async () => {
  await write('001_add.expand.sql', 'CREATE TABLE a (x int);');
  const first = await apply();
  await write('002_drop.contract.sql', 'ALTER TABLE a DROP COLUMN x;');
  const byHand = 'rollout: { strategy: canary, steps: [{ weight: 50, approval: true }] }';
  const request = await fixture.request(await fixture.stack([...fields, byHand], database));
  const lines: string[] = [];
  const operation = newOperation({ progress: (line) => lines.push(line) });
  const { outputs, goesOn } = await fixture.provider.update({ ...request, current: await fixture.resource() }, operation);
  expect(outputs['release']?.value).toBe(first);
  expect(lines.at(-1)).toMatch(/^stage 1 of 2, /);
  await fixture.controller.operate(address, { type: 'promote', full: true }, { by: 'ada' });
  await goesOn?.end(operation);
  expect(fixture.migrations.journalOf(url)).toEqual(['001_add.expand.sql']);
  await fixture.store.transact([{ operation: 'delete', collection: 'releases', key: `default/agent/${first}` }]);
  const finished = await goesOn?.finish(operation);
  expect(finished?.outputs['release']?.value).not.toBe(first);
  expect(fixture.migrations.journalOf(url)).toContain('002_drop.contract.sql');
});

it('starts nothing of a release whose migration fails: what ran before still runs', async () => {
  await write('001_add.expand.sql', 'CREATE TABLE a (x int);');
  const first = await apply();
  await write('002_bad.expand.sql', 'SELECT fail;');
  await expect(apply()).rejects.toMatchObject({ code: 'migration_failed', message: expect.stringContaining('002_bad.expand.sql') });
  const status = await fixture.controller.describe(address);
  expect(status).toMatchObject({ phase: 'ready', release: first, replicas: { ready: 1 } });
  expect(status?.instances).toHaveLength(1);
  // What cannot be started is not kept as what can.
  expect((await createReleaseRecords(fixture.store).list('default', 'agent')).map(({ id }) => id)).toEqual([first]);
  await write('001_add.expand.sql', 'CREATE TABLE a (x int, y int);');
  const problems = await fixture.provider.check(await fixture.stack(fields, database));
  expect(problems.map(({ code, severity }) => [code, severity])).toContainEqual(['migration_rewritten', 'warning']);
});

it('finds before anything is changed what stands against a migration, at its line', async () => {
  await write('001_add.expand.sql', 'CREATE TABLE a (x int);\nDROP TABLE b;');
  await write('002_slow.migrate.sql', 'ALTER TABLE a ADD COLUMN y int;\nCREATE INDEX CONCURRENTLY i ON a (y);');
  await write('003_bad.contract.sql', 'DORP TABLE a;');
  await write('004_forgotten.sql', 'SELECT 1;');
  const problems = await fixture.provider.check(await fixture.stack([http, 'migrations: migrations']));
  expect(problems.map(({ code, position }) => [code, position?.file.split('/').at(-1), position?.line])).toEqual([
    ['migrations_database_unclear', 'stack.yaml', 7],
    ['migration_misnamed', 'stack.yaml', 7],
    ['migration_destructive', '001_add.expand.sql', 2],
    ['migration_not_transactional', '002_slow.migrate.sql', 2],
    ['migration_syntax', '003_bad.contract.sql', 1],
  ]);
});

it('takes the one database whose URL the service is given', async () => {
  await write('001_add.expand.sql', 'CREATE TABLE a (x int);');
  const stack = await fixture.stack([http, 'migrations: migrations', 'env: { DATABASE_URL: "${database.db.url}" }'], database);
  expect(await fixture.provider.check(stack)).toEqual([]);
});
