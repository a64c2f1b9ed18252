import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from './sqlite-store.ts';
import { describeSharedStore } from './shared-store-contract.ts';
import { describeStoreContract } from './store-contract.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  path = join(folder, 'home', 'state.db');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describeStoreContract('the SQLite store', () => openSqliteStore({ path }));
describeSharedStore('the SQLite store', async () => ({ location: path, open: () => openSqliteStore({ path }) }));

async function writeOnce(): Promise<void> {
  const store = await openSqliteStore({ path });
  const writes = Array.from({ length: 400 }, (_, index) => ({
    operation: 'put' as const,
    collection: 'things',
    key: `key-${index}`,
    value: 'x'.repeat(200),
  }));
  await store.transact(writes);
  await store.close();
}

describe('the SQLite file', () => {
  it('survives reopening and is readable by its owner only, with all its companions', async () => {
    await writeOnce();
    await chmod(path, 0o644);
    const store = await openSqliteStore({ path });
    await store.transact([{ operation: 'append', log: 'events', value: 1 }]);
    expect(await store.list('things', 'key-39')).toHaveLength(11);
    for (const name of await readdir(join(folder, 'home'))) {
      expect([name, (await stat(join(folder, 'home', name))).mode & 0o777]).toEqual([name, 0o600]);
    }
    await store.close();
    expect(await readdir(join(folder, 'home'))).toEqual(['state.db']);
  });

  it('is refused and left as it is when its content is damaged', async () => {
    await writeOnce();
    const healthy = await readFile(path);
    const damaged = Buffer.from(healthy);
    damaged.fill(0x5a, 8_192, 20_480);
    await writeFile(path, damaged);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_damaged' });
    expect((await readFile(path)).equals(damaged)).toBe(true);
  });

  it.each([0, 50, 5_000])('is refused when it was cut to %i bytes', async (length) => {
    await writeOnce();
    await truncate(path, length);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_damaged' });
    expect((await stat(path)).size).toBe(length);
  });

  it('is refused when another program wrote it', async () => {
    await writeOnce();
    await rm(path);
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE users (name TEXT)');
    foreign.close();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_damaged' });
  });

  it('is refused when a newer version of Sluice wrote it', async () => {
    await writeOnce();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_too_new' });
  });

  it('is not made anew when only its write-ahead log is left', async () => {
    await writeOnce();
    await rm(path);
    await writeFile(`${path}-wal`, 'left over');
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_damaged' });
  });

  it('can be opened by several at the same moment when it does not exist yet', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => openSqliteStore({ path })));
    await Promise.all(stores.map((store, index) => store.transact([{ operation: 'append', log: 'events', value: index }])));
    expect(await stores[0]?.last('events')).toBe(3);
    for (const store of stores) await store.close();
    expect(await readdir(join(folder, 'home'))).toEqual(['state.db']);
  });

  it('is copied as it is at one moment while it is written to', async () => {
    await writeOnce();
    const store = await openSqliteStore({ path });
    let written = 0;
    const over = new AbortController();
    const writing = (async () => {
      for (; !over.signal.aborted; written += 1) {
        const value = 'x'.repeat(1_000);
        await store.transact([
          { operation: 'put', collection: 'pairs', key: `${written}`, value },
          { operation: 'append', log: 'pairs', value },
        ]);
      }
    })();
    const files = ['one.db', 'two.db', 'three.db'].map((name) => join(folder, name));
    const summaries = [];
    for (const file of files) summaries.push(await store.backup(file));
    over.abort();
    await writing;
    expect(written).toBeGreaterThan(0);
    for (const { documents, entries } of summaries) expect(documents - 400).toBe(entries);
    await expect(store.backup(join(folder, 'one.db'))).rejects.toMatchObject({ code: 'backup_exists' });
    await store.close();
    expect((await readdir(folder)).toSorted()).toEqual(['home', 'one.db', 'three.db', 'two.db']);
  });
});
