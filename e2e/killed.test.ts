import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type Client } from '../src/api/client.ts';
import { startControlPlane } from '../src/control-plane/discovery.ts';
import { systemClock } from '../src/effects/clock.ts';
import { identify, isAlive, type ProcessIdentity } from '../src/effects/processes.ts';
import { seededRandom } from '../src/effects/random.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { until } from '../src/testing/conditions.ts';
import { filesBelow } from './leftovers.ts';

/** `SLUICE_KILLS=200 SLUICE_KILL_SEED=3 npx vitest run e2e/killed.test.ts` for a longer or another history. */
const kills = Number(process.env['SLUICE_KILLS'] ?? 4);
const seed = Number(process.env['SLUICE_KILL_SEED'] ?? 7);
const longestLifeMs = 2_500;

const shared = `
environment:
  - { name: here, provider: local }
  - { name: there, provider: simulated }
resource_group: { name: shop, location: eastus }
secret: { name: session-key, value: { generated: { length: 32 } } }
virtual_machine: { name: host-1, resource_group_name: shop, size: Standard_D2s_v3, image: "UbuntuServer:20.04-LTS:latest" }
`;
const database = (sku: string): string =>
  `database: { name: orders, resource_group_name: shop, type: PostgreSQL, version: "15", sku: ${sku}, storage_gb: 10, backup_retention_days: 1 }\n`;
const service = (replicas: number, version: string, url: string): string => `service:
  name: web
  source: web
  command: [node, server.mjs]
  version: ${version}
  replicas: ${replicas}
  runs_on: host-1
  env: { ${url}SESSION_KEY: "\${secret.session-key}" }
  health: { path: /, interval: 50ms }
  drain: 1s
`;
const url = 'DATABASE_URL: "${database.orders.url}", ';
/** What history moves between: with a database and without one, of another size, with more and with fewer instances. */
const stacks = [
  { text: shared + database('Burstable_1_vCPU') + service(2, '1.0.0', url), instances: 2, databases: 1 },
  { text: shared + database('Burstable_2_vCPU') + service(1, '1.0.1', url), instances: 1, databases: 1 },
  { text: shared + service(1, '1.0.1', ''), instances: 1, databases: 0 },
] as const;
const server = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end('ok'));
setTimeout(() => server.listen(Number(process.env.PORT), process.env.HOST), 150);
process.on('SIGTERM', () => process.exit(0));
`;

const byNumber = (left = 0, right = 0): number => left - right;

describe.skipIf(process.platform !== 'linux')(`a control plane that is killed ${kills} times at random moments (seed ${seed})`, () => {
  let root: string;
  let home: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-killed-'));
    // Servers that drop root may pass, so that their data stands below the home.
    await chmod(root, 0o755);
    home = join(root, 'home');
    await mkdir(join(root, 'web'));
    await writeFile(join(root, 'web', 'server.mjs'), server);
    for (const [index, { text }] of stacks.entries()) await writeFile(join(root, `stack-${index}.yaml`), text);
  });
  afterAll(async () => {
    const { client, process: last } = await start();
    await client.shutdown({ workloads: 'stop' });
    await gone(last);
    await rm(root, { recursive: true, force: true });
  });

  async function start(): Promise<{ client: Client; process: ProcessIdentity }> {
    const found = await startControlPlane({ home, root });
    return { client: createClient(found), process: identify(found.pid) as ProcessIdentity };
  }

  /** Command lines of the processes that belong to this home, by their arguments or by the folder they work in. */
  function processesHere(): readonly { readonly pid: number; readonly line: string }[] {
    return readdirSync('/proc').flatMap((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        const here = /^\d+$/.test(name) && (line.includes(root) || readlinkSync(`/proc/${name}/cwd`).startsWith(root));
        return here && line !== '' && Number(name) !== process.pid ? [{ pid: Number(name), line }] : [];
      } catch {
        return [];
      }
    });
  }

  /** Everything that is wanted is there once, and nothing else: by processes, ports, folders, state, drift and plan. */
  async function expectConverged(client: Client, stack: number): Promise<void> {
    const { instances, databases } = stacks[stack] as (typeof stacks)[number];
    for (const environment of ['here', 'there']) {
      const { changes } = await client.createPlan({ stack: `stack-${stack}.yaml`, environment });
      expect(changes.flatMap(({ address, action, reason }) => (action === 'none' ? [] : [`${action} ${address}: ${reason}`]))).toEqual([]);
      expect((await client.getLock(environment)).holder).toBeUndefined();
      expect((await client.getDrift(environment)).items).toEqual([]);
      const resources = await client.listResources(environment);
      expect(resources.map(({ status }) => status)).toEqual(Array.from({ length: 4 + databases }, () => 'ready'));
    }
    // An instance that was replaced may take its last second after the run has ended.
    const web = await until('what was replaced to be gone', async () => {
      const view = await client.getService('here', 'web');
      return view.instances.length === instances && view;
    });
    expect(web).toMatchObject({ phase: 'ready', replicas: { desired: instances, ready: instances } });
    const found = processesHere();
    const pids = (pattern: RegExp): number[] => found.filter(({ line }) => pattern.test(line)).map(({ pid }) => pid);
    expect(pids(/node\S* server\.mjs/).toSorted(byNumber)).toEqual(web.instances.map(({ pid }) => pid).toSorted(byNumber));
    expect(pids(/bin\/postgres -D/)).toHaveLength(databases);
    expect([pids(/control-plane\/main/).length, pids(/gateway\/main/).length]).toEqual([1, 1]);
    const files = filesBelow(home);
    expect(new Set(files.filter((file) => file.endsWith('PG_VERSION') && !/\/(base|backups)\//.test(file))).size).toBe(databases);
    expect(files.filter((file) => /^instances\/.*\.json$/.test(file))).toHaveLength(instances);
    expect(files.filter((file) => /attempt-|\.tmp$/.test(file))).toEqual([]);
    expect((await client.verifyAudit()).findings).toEqual([]);
  }

  it('converges whenever it is let, without an orphan or a duplicate', { timeout: 60_000 + kills * 10_000 }, async () => {
    const random = seededRandom(seed);
    const pick = (below: number): number => Math.floor(random.next() * below);
    const moments: Record<string, number> = {};
    const note = (moment: string): void => void (moments[moment] = (moments[moment] ?? 0) + 1);
    let target = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      target = pick(stacks.length);
      const mode = pick(5) === 0 ? 'destroy' : 'apply';
      const { client, process: killed } = await start();
      let running = true;
      const work = (async () => {
        for (const environment of ['there', 'here']) await client.waitForRun((await begin(client, target, environment, mode)).id);
      })()
        .catch(() => undefined)
        .finally(() => (running = false));
      await systemClock.sleep(random.next() ** 2 * longestLifeMs);
      note(running ? `in the middle of ${mode}` : `after ${mode}`);
      process.kill(killed.pid, 'SIGKILL');
      await gone(killed);
      // The client would wait for another control plane for a while.
      void work;
      if (kill % 8 !== 0) continue;
      const next = await start();
      await settle(next.client, target);
      await expectConverged(next.client, target);
    }
    const { client } = await start();
    await settle(client, target);
    await expectConverged(client, target);
    expect(moments['in the middle of apply'] ?? 0).toBeGreaterThan(kills / 4);

    await settle(client, target, 'destroy');
    expect(processesHere().filter(({ line }) => /server\.mjs|bin\/postgres/.test(line))).toEqual([]);
    const left = filesBelow(home).filter((file) => /^(machines|databases|instances|releases|caches)\//.test(file));
    expect(left).toEqual([]);
    await expectSoundJournal();
  });

  /** Every operation has one intent and at most one outcome; the last word on each resource is a success. */
  async function expectSoundJournal(): Promise<void> {
    const store = await openSqliteStore({ path: join(home, 'state.db') });
    const entries = (await store.read('journal', 0, 100_000)).map(
      ({ value }) => value as { operation: string; phase: string; ok?: boolean; address: string },
    );
    const outcomes = entries.filter(({ phase }) => phase === 'outcome').map(({ operation }) => operation);
    expect(new Set(outcomes).size).toBe(outcomes.length);
    const intents = new Set(entries.filter(({ phase }) => phase === 'intent').map(({ operation }) => operation));
    expect(outcomes.filter((operation) => !intents.has(operation))).toEqual([]);
    const last = new Map(entries.map((entry) => [entry.address, entry]));
    expect([...last.values()].filter(({ ok }) => ok !== true)).toEqual([]);
    expect(await store.list('leases')).toEqual([]);
    expect(await store.list('resources')).toEqual([]);
    await store.close();
  }
});

async function gone(process: ProcessIdentity): Promise<void> {
  await until('the process to be gone', () => !isAlive(process));
}

async function begin(client: Client, stack: number, environment: string, mode: 'apply' | 'destroy') {
  // The last stack has no database, wherever a history comes from.
  const allowDestroy = mode === 'apply' ? [`${environment}/database/orders`] : [];
  const plan = await client.createPlan({ stack: `stack-${stack}.yaml`, environment, mode, allowDestroy });
  return client.applyPlan(plan.id);
}

async function settle(client: Client, stack: number, mode: 'apply' | 'destroy' = 'apply'): Promise<void> {
  for (const environment of ['here', 'there']) {
    const run = await client.waitForRun((await begin(client, stack, environment, mode)).id);
    expect(run.changes.filter(({ status }) => status !== 'done')).toEqual([]);
    expect(run).toMatchObject({ status: 'succeeded' });
  }
}
