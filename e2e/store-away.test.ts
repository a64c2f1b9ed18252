import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identify, isAlive } from '../src/effects/processes.ts';
import { until } from '../src/testing/conditions.ts';
import { type PostgresServer, startPostgres } from '../src/testing/postgres-server.ts';
import { processesMentioning } from './leftovers.ts';
import { controlPlane, expectCode, sluice, type World } from './sluice.ts';

const stack = `
database: { name: orders, type: PostgreSQL, version: "15", backup_retention_days: 1 }
service:
  name: web
  source: web
  command: [node, server.mjs]
  version: 1.0.0
  replicas: 2
  env: { DATABASE_URL: "\${database.orders.url}" }
  health: { path: /, interval: 50ms }
  drain: 1s
`;
const server = `
import { createServer } from 'node:http';
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => process.exit(0));
`;

describe('a home whose state is in a PostgreSQL that is away', { timeout: 120_000 }, () => {
  let store: PostgresServer;
  let world: World;
  beforeAll(async () => {
    store = await startPostgres();
    const directory = await mkdtemp(join(tmpdir(), 'sluice-away-'));
    // Servers that drop root may pass, so that their data stands below the home and goes with it.
    await chmod(directory, 0o755);
    const url = `${await store.emptyDatabase()}?connect_timeout=1`;
    world = { directory, home: join(directory, '.sluice'), environment: { SLUICE_STORE: url } };
    await mkdir(join(directory, 'web'));
    await writeFile(join(directory, 'web', 'server.mjs'), server);
    await writeFile(join(directory, 'stack.yaml'), stack);
  });
  afterAll(async () => {
    await sluice(world, 'down');
    await store.remove();
    await rm(world.directory, { recursive: true, force: true });
  });

  const running = async (): Promise<readonly number[]> =>
    ((await (await controlPlane(world)).get('/v1/environments/default/services/web')) as { instances: { pid: number }[] }).instances.map(
      ({ pid }) => pid,
    );

  it('is stopped all the same, is told what could not be done, and comes back when the state does', async () => {
    await expectCode(0, world, 'up', '--detach', '--yes');
    const before = await running();
    expect(before).toHaveLength(2);
    await store.stop();

    const { stdout, stderr } = await expectCode(0, world, 'down');
    expect(stderr).toContain('does not answer');
    expect(stderr).toContain('The state still says that it runs');
    expect(stderr).not.toContain(encodeURIComponent(store.password));
    for (const what of ['the control plane', 'the gateway', 'instance web-', 'default/database/orders']) expect(stdout).toContain(what);
    expect(before.filter((pid) => identify(pid) !== undefined)).toEqual([]);
    expect(processesMentioning(world.directory)).toEqual([]);
    expect((await expectCode(0, world, 'down')).stderr).toContain('Nothing runs');

    await store.start();
    expect((await expectCode(0, world, 'up', '--detach', '--yes')).stdout).toContain('No changes');
    expect(await running()).toHaveLength(2);
  });

  it('is stopped as well after a crash of its control plane', async () => {
    const { pid } = await controlPlane(world);
    const before = await running();
    const killed = identify(pid);
    process.kill(pid, 'SIGKILL');
    await until('the control plane to be gone', () => killed === undefined || !isAlive(killed));
    await store.stop();
    const answer = JSON.parse((await expectCode(0, world, 'down', '--json')).stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      stopped: true,
      withoutState: { failed: [], ended: expect.arrayContaining(['the gateway']) as unknown },
    });
    expect(before.filter((each) => identify(each) !== undefined)).toEqual([]);
    expect(processesMentioning(world.directory)).toEqual([]);
    await store.start();
  });
});
