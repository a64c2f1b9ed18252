import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../effects/clock.ts';
import { blockOf, type LocalFixture, localFixture, operationOf, platformOver, requestOf, stateOf, textsOf } from '../../local-fixture.ts';
import { findServer } from '../postgres-server.ts';

/** Tests by real loss, on one server; each goes on from where the one before has left it. */
describe('going back in time', () => {
  let local: LocalFixture;
  let folder: string;
  let request: ReturnType<typeof requestOf>;
  let applied: Awaited<ReturnType<LocalFixture['provider']['create']>>;
  let values: Readonly<Record<string, string>>;
  const address = 'default/database/db';
  const state = () => stateOf(request, applied);

  beforeAll(async () => {
    local = await localFixture();
    folder = join(local.home, 'databases', 'default', 'db');
    request = requestOf(local.root, blockOf('database', { name: 'db', type: 'PostgreSQL', version: '15' }));
    applied = await local.provider.create(request, operationOf('one'));
    values = textsOf(applied);
  });
  afterAll(async () => {
    await local.provider.delete(state(), operationOf('end'));
    expect(readdirSync(local.home)).toEqual(['local.key']);
    await local.remove();
  });

  /** The rows of the first query, by the URL that services have. */
  async function sql(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: values['url'] ?? '' });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const [first] = await Promise.all(statements.map((statement) => client.query<Record<string, unknown>>(statement)));
      return first?.rows ?? [];
    } finally {
      await client.end();
    }
  }

  /** A time that lies after all that was committed before, and before all that is committed later. */
  async function aMoment(): Promise<string> {
    await systemClock.sleep(5);
    const moment = new Date(systemClock.now()).toISOString();
    await systemClock.sleep(5);
    return moment;
  }

  const numbers = async () => (await sql('SELECT value FROM kept ORDER BY value')).map(({ value }) => value);
  const restore = (to: string, id: string) => local.databases.restore(address, to, operationOf(id, (m) => console.log(Date.now() % 100000, m)));
  const moments = { one: '', two: '', dropped: '', lived: '' };

  it('cannot be done without a base backup', async () => {
    await expect(restore('latest', 'none')).rejects.toMatchObject({ code: 'database_no_backup' });
  });

  it('brings a dropped table back, to the second before', async () => {
    await sql('CREATE TABLE kept (value integer)', 'INSERT INTO kept VALUES (1)');
    console.time('backup');
    const backup = await local.databases.backup(address, operationOf('backup'));
    console.timeEnd('backup');
    await sql('INSERT INTO kept VALUES (2)');
    moments.two = await aMoment();
    await sql('DROP TABLE kept');
    moments.dropped = await aMoment();
    console.time('restore');
    const result = await restore(moments.two, 'first');
    console.timeEnd('restore');
    expect(result.backup).toBe(backup.id);
    expect(await numbers()).toEqual([1, 2]);
  });
});
