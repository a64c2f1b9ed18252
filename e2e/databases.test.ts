import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseBackups, DatabaseOperation } from '../src/api/schemas/database.ts';
import { systemRandom } from '../src/effects/random.ts';
import { createDerivedSecrets } from '../src/providers/local/derived-secrets.ts';
import { until } from '../src/testing/conditions.ts';
import { processesMentioning } from './leftovers.ts';
import { expectCode, sluice, start, type World } from './sluice.ts';

const stack = (name: string, more = ''): string =>
  `resource_group: { name: shop }\ndatabase: { name: ${name}, type: PostgreSQL, version: "15", backup_retention_days: 7 }\n${more}`;

describe('a database on this machine', { timeout: 90_000 }, () => {
  let world: World;
  let address = 'database/orders';
  const write = (text: string) => writeFile(join(world.directory, 'stack.yaml'), text);
  const json = async <Answer>(...line: readonly string[]) => JSON.parse((await expectCode(0, world, ...line, '--json')).stdout) as Answer;

  async function query(statement: string): Promise<readonly Record<string, unknown>[]> {
    const { id, outputs } = await json<{ id: string; outputs: Record<string, { value: unknown }> }>('state', 'show', address);
    const text = (name: string): string => String(outputs[name]?.value);
    const client = new pg.Client({
      host: text('host'),
      port: Number(text('port')),
      user: text('user'),
      database: text('database'),
      password: await createDerivedSecrets(world.home, systemRandom).derive(id, 'database', 32),
    });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }
  /** The clock of the server, after everything that was committed until now. */
  const moment = async (): Promise<string> =>
    String((await query(`SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`))[0]?.['now']);

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-databases-'));
    // Servers that drop root may pass, so that their data stands below the home and goes with it.
    await chmod(directory, 0o755);
    world = { directory, home: join(directory, '.sluice'), environment: { SLUICE_DRIFT_INTERVAL: 'off' } };
    await write(stack('orders'));
  });
  afterAll(async () => {
    await sluice(world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('is finished first when Ctrl-C is pressed while it is made', async () => {
    const applying = start(world, 'apply', '--yes');
    let printed = '';
    for (const stream of [applying.stdout, applying.stderr]) stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => applying.once('close', resolve));
    await until('it to be initialised', () => printed.includes('initialising PostgreSQL'));
    applying.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(printed).toMatch(/database\/orders: created/);
    expect(printed).not.toContain('failed');
    await expectCode(0, world, 'plan');
    await query('CREATE TABLE orders (id int)');
    await query('INSERT INTO orders VALUES (1), (2), (3)');
  });

  it('is backed up on demand, and says how far back it can go', async () => {
    expect((await expectCode(0, world, 'db', 'backup', 'orders')).stdout).toMatch(/database\/orders is backed up: \S+, [\d.]+ MiB/);
    const { items, restorable, retentionDays } = await json<DatabaseBackups>('db', 'backups', 'orders');
    expect(retentionDays).toBe(7);
    expect(items.length).toBeGreaterThan(0);
    expect(restorable.at(-1)).not.toHaveProperty('to');
    expect((await expectCode(0, world, 'db', 'backups', 'orders')).stdout).toContain(items.at(-1)?.id);
  });

  it('is taken back to the moment before, at the same address, and a plan has nothing to change', async () => {
    const before = await moment();
    await query('DROP TABLE orders');
    await query('CREATE TABLE written_since (id int)');
    expect((await expectCode(64, world, 'db', 'restore', 'orders', '--to', before)).stderr).toContain('--yes');
    expect((await expectCode(0, world, 'db', 'restore', 'orders', '--to', before, '--dry-run')).stdout).toContain('can go back to');
    await expect(query('SELECT * FROM orders')).rejects.toThrow('does not exist');

    const { stdout } = await expectCode(0, world, 'db', 'restore', 'orders', '--to', before, '--yes');
    expect(stdout).toContain('To undo this: sluice db restore orders --to ');
    expect(await query('SELECT id FROM orders ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    await expect(query('SELECT * FROM written_since')).rejects.toThrow('does not exist');
    await expectCode(0, world, 'plan');
    const { replaced } = await json<DatabaseBackups>('db', 'backups', 'orders');
    expect(replaced).toHaveLength(1);
  });

  it('is taken back after it was moved, also to before the move', async () => {
    const before = await moment();
    await query('INSERT INTO orders VALUES (4)');
    await write(stack('purchases', 'moved: [{ from: database/orders, to: database/purchases }]\n'));
    await expectCode(0, world, 'apply', '--yes');
    address = 'database/purchases';
    expect(await query('SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 4 }]);
    const since = await moment();
    await query('DROP TABLE orders');

    expect((await expectCode(1, world, 'db', 'restore', 'orders', '--to', since, '--yes')).stderr).toContain('orders');
    const operation = await json<DatabaseOperation>('db', 'restore', 'purchases', '--to', since, '--yes');
    expect(operation).toMatchObject({ kind: 'restore', status: 'succeeded', address: 'default/database/purchases' });
    expect(await query('SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 4 }]);
    await expectCode(0, world, 'db', 'restore', 'purchases', '--to', before, '--yes');
    expect(await query('SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 3 }]);
    await expectCode(0, world, 'db', 'backup', 'purchases');
    await expectCode(0, world, 'plan');
    expect((await expectCode(0, world, 'events')).stdout).toContain('database/purchases is what it was at');
  });

  it('refuses a time it cannot go back to, and says how far it can', async () => {
    const { stderr } = await expectCode(1, world, 'db', 'restore', 'purchases', '--to', '2020-01-01T00:00:00Z', '--yes');
    expect(stderr).toContain('2020-01-01');
    expect(await query('SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 3 }]);
    await expectCode(0, world, 'down');
    expect(processesMentioning(world.directory)).toEqual([]);
  });
});
