import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { migrations } from './postgres-schema.ts';
import { openPostgresStore } from './postgres-store.ts';
import { describeSharedStore } from './shared-store-contract.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { describeStoreContract } from './store-contract.ts';
import type { Write } from './store.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

const put = (key: string, value: string): Write => ({ operation: 'put', collection: 'things', key, value });

describeStoreContract('the PostgreSQL store', async () => openPostgresStore({ url: await server.emptyDatabase() }));
describeSharedStore('the PostgreSQL store', async () => {
  const location = await server.emptyDatabase();
  return { location, open: () => openPostgresStore({ url: location }) };
});

describe('a PostgreSQL database as the store', () => {
  it('holds the state when it is opened again, also by several at the same first moment', async () => {
    const url = await server.emptyDatabase();
    const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore({ url })));
    await Promise.all(stores.map((store, index) => store.transact([{ operation: 'append', log: 'events', value: index }])));
    await Promise.all(stores.map((store) => store.close()));
    const again = await openPostgresStore({ url });
    expect(await again.last('events')).toBe(3);
    await again.close();
  });

  it('commits what is asked for at the same time together', async () => {
    const url = await server.emptyDatabase();
    const store = await openPostgresStore({ url });
    const commits = async (): Promise<number> => {
      const [row] = await server.query(new URL(url).pathname.slice(1), 'SELECT txid_current()::text AS id');
      return Number(row?.['id']);
    };
    const before = await commits();
    await Promise.all(Array.from({ length: 500 }, (_, index) => store.transact([put(`key-${index}`, 'x')])));
    expect((await commits()) - before).toBeLessThan(10);
    expect(await store.list('things', 'key-49')).toHaveLength(11);
    await store.close();
  });

  it('lets a transaction that the server does not take fail alone', async () => {
    const store = await openPostgresStore({ url: await server.emptyDatabase() });
    const ends = await Promise.allSettled([put('a', '1'), put('nul\0', '2'), put('b', '3')].map((write) => store.transact([write])));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(ends[1]).toMatchObject({ reason: { code: 'store_refused', retry: 'terminal' } });
    expect((await store.list('things')).map(({ key }) => key)).toEqual(['a', 'b']);
    await store.close();
  });

  it('goes on after its server was restarted, and says so while it is away', async () => {
    const store = await openPostgresStore({ url: await server.emptyDatabase() });
    await store.transact([put('a', 'before')]);
    await server.stop();
    await expect(store.transact([put('b', 'during')])).rejects.toMatchObject({ code: 'store_unreachable', retry: 'retry' });
    await server.start();
    expect(await store.get('things', 'a')).toMatchObject({ value: 'before' });
    expect(await store.transact([put('c', 'after')])).toEqual([1]);
    await store.close();
  });

  it('is told by class what is wrong with it, never with its password', async () => {
    const url = await server.emptyDatabase();
    const replaced = (part: 'password' | 'pathname' | 'port', value: string): string => Object.assign(new URL(url), { [part]: value }).href;
    const cases = [
      [replaced('password', 'canary-7Qx'), 'store_refused', 'terminal'],
      [replaced('pathname', '/nowhere'), 'store_refused', 'terminal'],
      [replaced('port', '1'), 'store_unreachable', 'retry'],
      [`${url}?sslmode=verify-full`, 'store_refused', 'terminal'],
      [`${url}?sslmode=prefer`, 'store_url_invalid', 'terminal'],
      ['postgres://user:canary-7Qx%zz@host/db', 'store_url_invalid', 'terminal'],
      ['postgres://user:canary-7Qx@ho st/db', 'store_url_invalid', 'terminal'],
    ] as const;
    for (const [wrong, code, retry] of cases) {
      const error: unknown = await openPostgresStore({ url: wrong }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, retry });
      const everything = inspect(error, { depth: 20, showHidden: true });
      for (const secret of ['canary-7Qx', server.password, encodeURIComponent(server.password)]) expect(everything).not.toContain(secret);
    }
  });

  it('of a newer version of Sluice is refused, and one whose state is gone is not filled anew', async () => {
    const url = await server.emptyDatabase();
    await expect(openPostgresStore({ url, evidence: '/home/state.key' })).rejects.toMatchObject({ code: 'store_missing' });
    await (await openPostgresStore({ url })).close();
    await server.query(new URL(url).pathname.slice(1), 'UPDATE sluice.schema SET version = 99');
    await expect(openPostgresStore({ url })).rejects.toMatchObject({ code: 'store_too_new' });
  });

  it('comes forward to a newer schema in one transaction, or stays as it was', async () => {
    const url = await server.emptyDatabase();
    const database = new URL(url).pathname.slice(1);
    const before = await openPostgresStore({ url });
    await before.transact([put('a', 'kept')]);
    await before.close();
    const next = 'ALTER TABLE sluice.log ADD COLUMN note text';
    await expect(openPostgresStore({ url, steps: [...migrations, next, 'SELECT nonsense'] })).rejects.toMatchObject({
      code: 'store_refused',
    });
    expect(await server.query(database, 'SELECT version FROM sluice.schema')).toEqual([{ version: migrations.length }]);
    const after = await openPostgresStore({ url, steps: [...migrations, next] });
    expect(await after.get('things', 'a')).toMatchObject({ value: 'kept' });
    await after.close();
    expect(await server.query(database, 'SELECT version FROM sluice.schema')).toEqual([{ version: migrations.length + 1 }]);
    expect(await server.query(database, 'SELECT note FROM sluice.log')).toEqual([]);
  });

  it('is backed up into a file that the SQLite store opens', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-store-'));
    const store = await openPostgresStore({ url: await server.emptyDatabase() });
    const writes = Array.from({ length: 4_500 }, (_, index) => put(`key-${index}`, `ü${index}`));
    await store.transact([...writes, { operation: 'append', log: 'events', value: { deep: '\u0000' } }, put('key-0', 'again')]);
    const path = join(folder, 'state.db');
    expect(await store.backup(path)).toMatchObject({ file: path, documents: 4_500, entries: 1 });
    const copy = await openSqliteStore({ path });
    expect(await copy.list('things')).toEqual(await store.list('things'));
    expect(await copy.read('events', 0, 10)).toEqual(await store.read('events', 0, 10));
    await expect(store.backup(path)).rejects.toMatchObject({ code: 'backup_exists' });
    await copy.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
});
