// What users of other tools complain about, as tests that it cannot happen here. docs/proof.md lists them all.
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identify, isAlive } from '../src/effects/processes.ts';
import { until } from '../src/testing/conditions.ts';
import { filesBelow, processesMentioning } from './leftovers.ts';
import { controlPlane, expectCode, sluice, start, type World } from './sluice.ts';

const shared = `
environment:
  - { name: here, provider: local }
  - { name: there, provider: simulated }
resource_group: { name: shop, location: eastus }
`;
const databases = `database: { name: orders, resource_group_name: shop, type: PostgreSQL, version: "15", backup_retention_days: 1 }
virtual_machine: { name: host-1, resource_group_name: shop, size: Standard_D2s_v3, image: "UbuntuServer:20.04-LTS:latest" }
secret: { name: session-key, value: { generated: { length: 32 } } }
`;
const service = (file: string): string => `service:
  name: web
  source: web
  command: [node, ${file}]
  version: 1.0.0
  replicas: 1
  env: { SESSION_KEY: "\${secret.session-key}", DATABASE_URL: "\${database.orders.url}" }
  health: { path: /, interval: 50ms }
  drain: 1s
`;
const server = `
import { createServer } from 'node:http';
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => process.exit(0));
`;
const neverReady = `setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(0));`;

describe('what other tools are complained about does not happen:', { timeout: 180_000 }, () => {
  let world: World;
  const write = (...parts: readonly string[]) => writeFile(join(world.directory, 'stack.yaml'), [shared, ...parts].join(''));
  const processOf = async () => identify((await controlPlane(world)).pid);
  const killControlPlane = async (): Promise<void> => {
    const found = await processOf();
    process.kill(found?.pid ?? 0, 'SIGKILL');
    await until('the control plane to be gone', () => found === undefined || !isAlive(found));
  };
  const lock = async (): Promise<unknown> => (await controlPlane(world)).get('/v1/environments/here/lock');
  const instances = async (): Promise<readonly { pid: number }[]> => {
    const view = await controlPlane(world).then((plane) => plane.get('/v1/environments/here/services/web'));
    return (view as { instances: { pid: number }[] }).instances;
  };
  const instanceRuns = () => until('the instance to run', async () => (await instances().catch(() => []))[0]?.pid, 120_000);
  /** Everything the state holds, but for the plans it is asked to remember, when a key was last used, and what the care of databases tells meanwhile (a daily backup). */
  function rows(): readonly string[] {
    const state = new DatabaseSync(join(world.home, 'state.db'), { readOnly: true });
    try {
      return [
        ...state.prepare("SELECT * FROM documents WHERE collection NOT IN ('plans', 'keys') ORDER BY collection, key").all(),
        ...state.prepare('SELECT * FROM log ORDER BY log, sequence').all(),
      ]
        .filter(({ value }) => !String(value).includes('"type":"database.'))
        .map((row) => JSON.stringify(row));
    } finally {
      state.close();
    }
  }
  /** What stands in the home for resources; the files of a server that runs come and go by themselves. */
  const things = (): readonly string[] => {
    const files = filesBelow(world.home).filter((file) => /^(instances|releases|machines|databases|caches|local)\//.test(file));
    const named = files.filter((file) => !file.endsWith('.log')).map((file) => file.replace(/^(databases\/[^/]+\/[^/]+)\/.*/, '$1'));
    return [...new Set(named)].toSorted();
  };

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-pains-'));
    // Servers that drop root may pass, so that their data stands below the home and goes with it.
    await chmod(directory, 0o755);
    world = { directory, home: join(directory, '.sluice'), environment: { SLUICE_DRIFT_INTERVAL: 'off' } };
    await mkdir(join(directory, 'web'));
    await writeFile(join(directory, 'web', 'server.mjs'), server);
    await writeFile(join(directory, 'web', 'never-ready.mjs'), neverReady);
  });
  afterAll(async () => {
    await sluice(world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('an interrupted first deploy that breaks plan and destroy', async () => {
    await write(databases, service('never-ready.mjs'));
    const applying = start(world, 'apply', '--yes', '-e', 'here');
    const pid = await instanceRuns();
    await killControlPlane();
    applying.kill('SIGKILL');
    const { stdout } = await expectCode(2, world, 'plan', '-e', 'here');
    expect(stdout).toMatch(/service\/web/);
    expect(await lock()).not.toHaveProperty('holder');
    await expectCode(0, world, 'destroy', '--yes', '-e', 'here');
    expect(things()).toEqual([]);
    expect(identify(pid)).toBeUndefined();
    expect(rows().filter((row) => row.startsWith('{"collection":"resources"'))).toEqual([]);
  });

  it('a cancel that leaves the lock behind', async () => {
    const applying = start(world, 'apply', '--yes', '-e', 'here');
    const ended = new Promise<number | null>((resolve) => applying.once('close', resolve));
    await instanceRuns();
    expect(await lock()).toMatchObject({ holder: expect.anything() });
    applying.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(await lock()).not.toHaveProperty('holder');
    await write(databases, service('server.mjs'));
    await expectCode(0, world, 'apply', '--yes', '-e', 'here');
  });

  it('changes outside that are nothing but noise, after an apply, a crash and a stop', async () => {
    const silent = async (): Promise<void> => {
      await expectCode(0, world, 'plan', '-e', 'here');
      expect((await expectCode(0, world, 'plan', '--refresh-only', '-e', 'here')).stdout).toContain('No changes');
      expect(JSON.parse((await expectCode(0, world, 'drift', '-e', 'here', '--json')).stdout)).toMatchObject([{ checked: 5, items: [] }]);
    };
    await silent();
    await killControlPlane();
    await silent();
    await expectCode(0, world, 'down');
    await silent();
  });

  it('a dry run that writes state', async () => {
    const [before, made] = [rows(), things()];
    await write(databases.replace('backup_retention_days: 1', 'backup_retention_days: 9'));
    await expectCode(2, world, 'plan', '-e', 'here', '--allow-destroy', 'service/web');
    await expectCode(2, world, 'plan', '-e', 'here', '--destroy');
    await expectCode(2, world, 'plan', '-e', 'there');
    await expectCode(0, world, 'plan', '-e', 'here', '--refresh-only');
    await expectCode(2, world, 'plan', '-e', 'here', '-o', 'saved.plan');
    expect(rows()).toEqual(before);
    expect(things()).toEqual(made);
  });

  it('a prune of what belongs to another environment, or to a file that was lost', async () => {
    await write(databases, service('server.mjs'));
    await expectCode(0, world, 'apply', '--yes', '-e', 'there');
    const [before, made] = [rows().filter((row) => row.includes('"here/')), things()];
    await expectCode(0, world, 'destroy', '--yes', '-e', 'there');
    expect(rows().filter((row) => row.includes('"here/'))).toEqual(before);
    expect(things()).toEqual(made);

    await write();
    const { stderr } = await expectCode(1, world, 'apply', '--yes', '-e', 'here');
    expect(stderr).toContain('--allow-mass-destroy');
    expect(stderr).toContain('--allow-destroy database/orders');
    await writeFile(join(world.directory, 'stack.yaml'), '');
    await expectCode(1, world, 'apply', '--yes', '-e', 'here');
    await rm(join(world.directory, 'stack.yaml'));
    await expectCode(1, world, 'apply', '--yes', '-e', 'here');
    expect(things()).toEqual(made);
    expect(existsSync(join(world.home, 'state.db'))).toBe(true);
    await write(databases, service('server.mjs'));
    await expectCode(0, world, 'plan', '-e', 'here');
  });

  it('something left behind by destroy and down', async () => {
    await expectCode(0, world, 'destroy', '--yes', '-e', 'here');
    expect(things()).toEqual([]);
    await expectCode(0, world, 'down');
    expect(processesMentioning(world.directory)).toEqual([]);
  });
});
