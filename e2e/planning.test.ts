import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../src/effects/random.ts';
import { createDerivedSecrets } from '../src/providers/local/derived-secrets.ts';
import { filesBelow, filesContaining, processesMentioning } from './leftovers.ts';
import { expectCode, type World } from './sluice.ts';

interface Shown {
  readonly id: string;
  readonly outputs: Readonly<Record<string, { readonly value?: unknown }>>;
}

const database = (name: string, more = '') => `  - { name: ${name}, type: PostgreSQL, version: "15"${more} }`;

describe('plans that keep data', { timeout: 90_000 }, () => {
  let world: World;
  const file = (name: string) => join(world.directory, name);
  const write = (databases: readonly string[], more = '') =>
    writeFile(file('stack.yaml'), ['resource_group: { name: shop }', 'database:', ...databases, more, ''].join('\n'));
  const show = async (address: string) => JSON.parse((await expectCode(0, world, 'state', 'show', address)).stdout) as Shown;

  /** Runs a statement as the role of the database, with the password this home derives for it. */
  async function query(address: string, statement: string): Promise<readonly unknown[]> {
    const { id, outputs } = await show(address);
    const text = (name: string): string => String(outputs[name]?.value);
    const password = await createDerivedSecrets(world.home, systemRandom).derive(id, 'database', 32);
    const client = new pg.Client({
      host: text('host'),
      port: Number(text('port')),
      user: text('user'),
      database: text('database'),
      password,
    });
    await client.connect();
    try {
      return (await client.query(statement)).rows as unknown[];
    } finally {
      await client.end();
    }
  }

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-plans-'));
    // Servers that drop root may pass, so that their data stands below the home and goes with it.
    await chmod(directory, 0o755);
    world = { directory, home: join(directory, '.sluice') };
    await write([database('order-db')]);
    await expectCode(0, world, 'apply', '--yes');
    await query('database/order-db', 'CREATE TABLE orders (id int)');
    await query('database/order-db', 'INSERT INTO orders VALUES (1), (2), (3)');
  });

  afterAll(async () => {
    await expectCode(0, world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('a rename is refused with the move to write, and --yes alone loses nothing', async () => {
    await write([database('orders')]);
    const { stderr } = await expectCode(1, world, 'apply', '--yes');
    expect(stderr).toContain('error[protected_resource]');
    expect(stderr).toContain('moved: [{ from: database/order-db, to: database/orders }]');
    expect(stderr).toContain('--allow-destroy database/order-db');
  });

  it('a move keeps the rows, the server and the address clients know', async () => {
    const before = await show('database/order-db');
    const [started] = await query('database/order-db', 'SELECT pg_postmaster_start_time()');
    await write([database('orders')], 'moved: [{ from: database/order-db, to: database/orders }]');
    const plan = await expectCode(2, world, 'plan');
    expect(plan.stdout).toContain('database/orders  move (was database/order-db)');
    expect(plan.stdout).toContain('0 to create, 0 to update, 0 to replace, 0 to delete, 1 to move, 1 unchanged');
    await expectCode(0, world, 'apply');
    expect(await query('database/orders', 'SELECT id FROM orders ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(await query('database/orders', 'SELECT pg_postmaster_start_time()')).toEqual([started]);
    expect(await show('database/orders')).toMatchObject({ id: before.id, outputs: before.outputs });
    await expectCode(0, world, 'plan');
  });

  it('what moved away leaves its name free, survives a stop, and the two do not get into each other’s way', async () => {
    await write([database('orders'), database('order-db')]);
    await expectCode(0, world, 'apply');
    await query('database/order-db', 'CREATE TABLE other (id int)');
    await expectCode(0, world, 'down');
    await expectCode(0, world, 'plan');
    expect(await query('database/orders', 'SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 3 }]);
    await write([database('orders')]);
    expect((await expectCode(1, world, 'apply', '--yes')).stderr).toContain('--allow-destroy database/order-db');
    await expectCode(0, world, 'apply', '--yes', '--allow-destroy', 'database/order-db');
    expect(await query('database/orders', 'SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 3 }]);
  });

  it('what is forgotten goes on running and is taken back with its rows', async () => {
    const { id } = await show('database/orders');
    expect((await expectCode(64, world, 'state', 'rm', 'database/orders')).stderr).toContain('--yes');
    expect((await expectCode(0, world, 'state', 'rm', 'database/orders', '--yes')).stdout).toContain(`sluice import database/orders ${id}`);
    expect((await expectCode(0, world, 'state', 'list')).stdout).not.toContain('database/orders');
    expect((await expectCode(0, world, 'events')).stdout).toContain('forgotten');
    expect((await expectCode(1, world, 'import', 'database/orders', '/var/lib/data')).stderr).toContain('not by a folder');
    expect((await expectCode(2, world, 'import', 'database/orders', id, '--dry-run')).stdout).toContain('database/orders  adopt');
    await expectCode(0, world, 'import', 'database/orders', id);
    expect(await query('database/orders', 'SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 3 }]);
    expect((await expectCode(0, world, 'plan', '--refresh-only')).stdout).toContain('No changes');
  });

  it('a saved plan is applied exactly, once, and only as long as it is true', async () => {
    const saved = file('release.plan');
    await write([database('orders', ', backup_retention_days: 9')], 'variable: { name: token, default: x }');
    await expectCode(2, world, 'plan', '-o', 'release.plan', '--var', 'token=canary-7f3a');
    expect((await stat(saved)).mode & 0o777).toBe(0o600);
    expect(filesContaining(world.directory, 'canary-7f3a')).toEqual([]);
    expect((await expectCode(64, world, 'apply', 'release.plan', '--target', 'database/orders')).stderr).toContain('as it is');

    const text = await readFile(saved, 'utf8');
    await writeFile(file('tampered.plan'), text.replace('"after": 9', '"after": 1'));
    expect((await expectCode(1, world, 'apply', 'tampered.plan')).stderr).toContain('altered since it was saved');
    const elsewhere = { ...world, home: file('other-home') };
    await mkdir(elsewhere.home, { mode: 0o700 });
    expect((await expectCode(1, elsewhere, 'apply', saved)).stderr).toContain('was made by the control plane of');
    await expectCode(0, elsewhere, 'down');
    expect((await expectCode(1, world, 'apply', 'release.plan', '-e', 'production')).stderr).toContain('for the environment default');

    await write([database('orders', ', backup_retention_days: 8')], 'variable: { name: token, default: x }');
    const stale = await expectCode(1, world, 'apply', 'release.plan');
    expect(stale.stderr).toContain('error[plan_stale]');
    expect(stale.stderr).toContain('changed: database/orders');
    await write([database('orders', ', backup_retention_days: 9')], 'variable: { name: token, default: x }');
    const applied = await expectCode(0, world, 'apply', 'release.plan');
    expect(applied.stdout).toContain('backup_retention_days  7 -> 9');
    expect((await expectCode(1, world, 'apply', 'release.plan')).stderr).toContain('error[plan_applied]');
    await expectCode(2, world, 'plan', '-o', 'next.plan', '--destroy');
    await expectCode(0, world, 'state', 'rm', 'resource_group/shop', '--yes');
    expect((await expectCode(1, world, 'apply', 'next.plan', '--yes')).stderr).toContain('gone: resource_group/shop');
    expect((await expectCode(1, world, 'plan', '-o', 'stack.yaml')).stderr).toContain('it holds something else');
    await expectCode(0, world, 'apply');
  });

  it('rules beside the stack decide on plans, a target limits them, and a mass of deletions needs a word', async () => {
    await mkdir(file('policies/plan'), { recursive: true });
    const rule =
      '{ name: backups, message: Databases keep 7 days., match: { kind: database }, when: [{ field: backup_retention_days, below: 7 }] }';
    await writeFile(file('policies/plan/data.yaml'), `rule: ${rule}\n`);
    await write([database('orders', ', backup_retention_days: 3')]);
    const denied = await expectCode(1, world, 'apply', '--yes');
    expect(denied.stderr).toMatch(/stack\.yaml:3:77 {2}policy_finding {2}Databases keep 7 days\./);
    expect(denied.stderr).toContain('policies/plan/data.yaml:1:7');
    expect(denied.stderr).toContain('error[policy_denied]');
    expect((await expectCode(0, world, 'plan', '--target', 'resource_group/shop')).stdout).toContain('Only resource_group/shop. 1 left as');

    await writeFile(file('stack.yaml'), 'network: { name: new, address_space: 10.0.0.0/16 }\n');
    const { stderr } = await expectCode(1, world, 'apply', '--yes');
    expect(stderr).toContain('--allow-destroy database/orders --allow-mass-destroy');
    await expectCode(1, world, 'apply', '--yes', '--allow-destroy', 'database/orders');
    await write([database('orders', ', backup_retention_days: 9')]);
  });

  it('destroying the whole is still one word, and leaves no trace of what moved', async () => {
    await expectCode(0, world, 'destroy', '--yes');
    await expectCode(0, world, 'down');
    expect(processesMentioning(world.directory)).toEqual([]);
    expect(filesBelow(world.home).filter((path) => /^(databases|local)\//.test(path))).toEqual([]);
  });
});
