import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { describeMigrationsContract, migrationRun } from '../rollout/migrations-contract.ts';
import { until } from '../testing/conditions.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { createPostgresMigrations } from './postgres-migrations.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server.remove();
});

const query = (url: string, sql: string) => server.query(new URL(url).pathname.slice(1), sql);
const journalOf = async (url: string): Promise<string[]> => {
  const rows = await query(url, 'SELECT name FROM sluice.migrations ORDER BY finished_at, name');
  return rows.map(({ name }) => String(name));
};
const migrations = createPostgresMigrations({ clock: systemClock });

const gated = async (): Promise<string> => {
  const url = await server.emptyDatabase();
  await query(url, 'CREATE TABLE done (x int); CREATE TABLE gate (x int); INSERT INTO gate VALUES (1);');
  return url;
};
const sleeping = (url: string) => async (): Promise<boolean> => {
  const rows = await query(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()");
  return rows.length === 1;
};

describeMigrationsContract('PostgreSQL', async () => ({
  migrations,
  emptyDatabase: () => server.emptyDatabase(),
  journalOf,
  dispose: async () => undefined,
}));

describe('migrations of a real database', () => {
  /** Adds a row, and takes a minute over it for as long as the gate is closed. */
  const slow = `
    INSERT INTO done VALUES (1);
    DO $$ BEGIN IF EXISTS (SELECT 1 FROM gate) THEN PERFORM pg_sleep(60); END IF; END $$;
  `;
  it('is as it was after a kill -9 in the middle of one, which then runs once', async () => {
    const url = await gated();
    const script = fileURLToPath(new URL('testdata/run-migrations.ts', import.meta.url));
    const child = spawn(process.execPath, [script, url, '1_slow.migrate.sql', slow], { stdio: 'ignore' });
    await until('the migration is under way', sleeping(url));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await query(url, 'SELECT x FROM done')).toEqual([]);
    await query(url, 'DELETE FROM gate');
    expect(await migrations.run(migrationRun(url, { '1_slow.migrate.sql': slow }))).toEqual(['1_slow.migrate.sql']);
    expect(await migrations.run(migrationRun(url, { '1_slow.migrate.sql': slow }))).toEqual([]);
    expect([await query(url, 'SELECT x FROM done'), await journalOf(url)]).toEqual([[{ x: 1 }], ['1_slow.migrate.sql']]);
  });

  it('is changed by one of two control planes at a time, and once', async () => {
    const url = await server.emptyDatabase();
    const texts = { '1_a.expand.sql': 'CREATE TABLE a (x int);', '2_b.migrate.sql': 'INSERT INTO a SELECT 1 FROM pg_sleep(0.3);' };
    const ran = await Promise.all(
      Array.from({ length: 4 }, () => createPostgresMigrations({ clock: systemClock }).run(migrationRun(url, texts))),
    );
    expect(ran.flat().toSorted()).toEqual(['1_a.expand.sql', '2_b.migrate.sql']);
    expect(await query(url, 'SELECT x FROM a')).toEqual([{ x: 1 }]);
  });

  it('is unchanged by one that fails after its first statements, and the error has its reason and its line', async () => {
    const url = await server.emptyDatabase();
    const text = 'CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\nALTER TABLE missing ADD COLUMN y int;';
    await expect(migrations.run(migrationRun(url, { '1_a.expand.sql': text }))).rejects.toMatchObject({
      code: 'migration_failed',
      retry: 'terminal',
      message: expect.stringContaining('relation "missing" does not exist'),
    });
    expect(await query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    await expect(migrations.run(migrationRun(url, { '1_a.expand.sql': 'SELECT 1;\n\nSELECT nothing;' }))).rejects.toMatchObject({
      message: expect.stringContaining('column "nothing" does not exist (line 3)'),
    });
  });

  it('is never asked to end the transaction it is in', async () => {
    const url = await server.emptyDatabase();
    const run = migrations.run(migrationRun(url, { '1_a.expand.sql': 'CREATE TABLE a (x int); COMMIT; SELECT 1 / 0;' }));
    await expect(run).rejects.toMatchObject({ code: 'migration_failed', message: expect.stringContaining('BEGIN, COMMIT') });
    expect(await query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
  });

  it('builds an index while the table is written to, and none twice or by half', async () => {
    const url = await server.emptyDatabase();
    await query(url, 'CREATE TABLE "T" (x int); INSERT INTO "T" VALUES (1), (1)');
    const indexes = async (): Promise<unknown> =>
      query(url, 'SELECT indexrelid::regclass::text AS name, indisvalid FROM pg_index WHERE indrelid = \'"T"\'::regclass');
    const plain = { '1_i.expand.sql': 'CREATE INDEX CONCURRENTLY i ON "T" (x);' };
    expect([await migrations.run(migrationRun(url, plain)), await migrations.run(migrationRun(url, plain))]).toEqual([
      ['1_i.expand.sql'],
      [],
    ]);
    const all = { ...plain, '2_u.contract.sql': 'CREATE UNIQUE INDEX CONCURRENTLY u ON "T" (x);' };
    await expect(migrations.run(migrationRun(url, all))).rejects.toMatchObject({ code: 'migration_failed' });
    expect(await indexes()).toEqual([{ name: 'i', indisvalid: true }]);
    // As a kill leaves it before the journal is written: the index is there, and so is what was begun.
    await query(
      url,
      'DELETE FROM "T"; CREATE UNIQUE INDEX u ON "T" (x); INSERT INTO sluice.migrations_begun VALUES (\'agent\', \'2_u.contract.sql\')',
    );
    expect(await migrations.run(migrationRun(url, all))).toEqual(['2_u.contract.sql']);
    expect(await query(url, 'SELECT * FROM sluice.migrations_begun')).toEqual([]);
    // An index that somebody else has made under this name is not taken for it.
    const taken = { ...all, '3_i.expand.sql': 'CREATE INDEX CONCURRENTLY i ON "T" (x);' };
    await expect(migrations.run(migrationRun(url, taken))).rejects.toMatchObject({ message: expect.stringContaining('already exists') });
  });

  it('lets no file leave settings or a role to the next one', async () => {
    const url = await server.emptyDatabase();
    const texts = {
      '1_a.expand.sql': 'CREATE SCHEMA other; SET search_path = other; CREATE TABLE a (x int); SET SESSION AUTHORIZATION pg_read_all_data;',
      '2_b.expand.sql': 'CREATE TABLE b (x int);',
    };
    expect(await migrations.run(migrationRun(url, texts))).toEqual(Object.keys(texts));
    expect(await query(url, "SELECT schemaname, tablename FROM pg_tables WHERE tablename IN ('a', 'b') ORDER BY 2")).toEqual([
      { schemaname: 'other', tablename: 'a' },
      { schemaname: 'public', tablename: 'b' },
    ]);
  });

  it('makes nobody wait behind it for long: it lets go of a table in use and tries again', async () => {
    const url = await server.emptyDatabase();
    await query(url, 'CREATE TABLE busy (x int)');
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE busy');
      const hasty = createPostgresMigrations({ clock: systemClock, tableLockTimeoutMs: 500 });
      const running = hasty.run(migrationRun(url, { '1_a.expand.sql': 'ALTER TABLE busy ADD COLUMN y int;' }));
      const waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
      await until('the migration waits for the table', async () => (await query(url, waits)).length === 1);
      await until('it has let go', async () => (await query(url, waits)).length === 0);
      await holder.query('COMMIT');
      expect(await running).toEqual(['1_a.expand.sql']);
    } finally {
      await holder.end();
    }
  });

  it('can be called off, and says when the database is away, never with its password', async () => {
    const url = await gated();
    const called = new AbortController();
    const running = migrations.run(migrationRun(url, { '1_slow.migrate.sql': slow }, { signal: called.signal }));
    const failure = running.catch((thrown: unknown) => thrown);
    await until('the migration is under way', sleeping(url));
    called.abort();
    expect(await failure).toMatchObject({ code: 'migration_database_unavailable' });
    const away = migrations.run(migrationRun('postgres://agent:hunter2@127.0.0.1:1/db', { '1_a.expand.sql': 'SELECT 1;' }));
    const error = (await away.catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'migration_database_unavailable', retry: 'wait' });
    expect(error.message).not.toContain('hunter2');
  });
});
