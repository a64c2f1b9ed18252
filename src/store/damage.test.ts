import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from './sqlite-file.ts';
import { migrations } from './sqlite-schema.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Write } from './store.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-damage-'));
  path = join(folder, 'state.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (key: string, value: string): Write => ({ operation: 'put', collection: 'things', key, value });
const append = (value: string): Write => ({ operation: 'append', log: 'events', value });
const damaged = { code: 'store_damaged', retry: 'terminal' };

async function fill(): Promise<void> {
  const store = await openSqliteStore({ path });
  for (let round = 0; round < 5; round += 1) {
    await store.transact(Array.from({ length: 80 }, (_, index) => put(`key-${round}-${index}`, `value ${index} `.repeat(20))));
    await store.transact(Array.from({ length: 80 }, (_, index) => append(`entry ${round} ${index}`)));
  }
  await store.close();
}

/** What becomes of a filled store whose file was changed. */
async function fateOf(): Promise<unknown> {
  try {
    const store = await openSqliteStore({ path });
    const [documents, entries] = [await store.list('things'), await store.read('events', 0, 1_000)];
    await store.close();
    const whole = documents.length === 400 && entries.every(({ sequence }, index) => sequence === index + 1) && entries.length === 400;
    return whole ? 'whole' : 'lost';
  } catch (error) {
    return (error as { code?: string }).code === 'store_damaged' ? 'noticed' : error;
  }
}

/** A store as its process leaves it when it is killed: the newest commits are in the write-ahead log only. */
async function killed(commits: number): Promise<void> {
  const store = await openSqliteStore({ path });
  for (let index = 0; index < commits; index += 1) await store.transact([put('a', `value ${index}`)]);
  const home = join(folder, 'killed');
  mkdirSync(home);
  for (const suffix of ['', '-wal']) copyFileSync(`${path}${suffix}`, join(home, `state.db${suffix}`));
  await store.close();
  path = join(home, 'state.db');
}

describe('a damaged database file', () => {
  it('is noticed wherever a byte of its content has changed, and left as it is', async () => {
    await fill();
    const healthy = readFileSync(path);
    let noticed = 0;
    for (let at = 4_096 + 100; at < healthy.length; at += 1_531) {
      const bytes = Buffer.from(healthy);
      bytes[at] = (bytes[at] as number) ^ 0x15;
      writeFileSync(path, bytes);
      const fate = await fateOf();
      // Space that holds nothing may change: then everything is there.
      expect(['noticed', 'whole']).toContain(fate);
      expect([fate, fate === 'whole' || readFileSync(path).equals(bytes)]).toEqual([fate, true]);
      if (fate === 'noticed') noticed += 1;
    }
    expect(noticed).toBeGreaterThan(50);
  });

  it('is noticed when it happens while the store is open', async () => {
    await fill();
    const store = await openSqliteStore({ path });
    const outside = new DatabaseSync(path);
    outside.exec(`UPDATE documents SET value = '"forged"' WHERE key = 'key-1-1'; UPDATE log SET value = '1' WHERE sequence = 7`);
    outside.close();
    await expect(store.get('things', 'key-1-1')).rejects.toMatchObject(damaged);
    await expect(store.list('things', 'key-1')).rejects.toMatchObject(damaged);
    await expect(store.read('events', 0, 10)).rejects.toMatchObject(damaged);
    expect(await store.get('things', 'key-2-1')).toBeDefined();
    await expect(store.backup(join(folder, 'copy.db'))).rejects.toMatchObject(damaged);
    expect(existsSync(join(folder, 'copy.db'))).toBe(false);
    await store.close();
  });

  it('is noticed when it was emptied while its write-ahead log is there', async () => {
    await killed(3);
    truncateSync(path, 0);
    await expect(openSqliteStore({ path })).rejects.toMatchObject(damaged);
    expect([statSync(path).size, existsSync(`${path}-wal`)]).toEqual([0, true]);
  });

  it('is noticed when its write-ahead log has lost acknowledged commits, and not when a crash cut its end off', async () => {
    await killed(10);
    const log = readFileSync(`${path}-wal`);
    const cut = log.subarray(0, log.length - 100);
    writeFileSync(`${path}-wal`, cut);
    copyFileSync(path, `${path}.kept`);
    const store = await openSqliteStore({ path });
    expect(await store.get('things', 'a')).toMatchObject({ value: 'value 8' });
    await store.close();
    copyFileSync(`${path}.kept`, path);
    for (const at of [5, 60, Math.floor(log.length / 3)]) {
      const bytes = Buffer.from(log);
      bytes[at] = (bytes[at] as number) ^ 0xff;
      writeFileSync(`${path}-wal`, bytes);
      rmSync(`${path}-shm`, { force: true });
      await expect(openSqliteStore({ path })).rejects.toMatchObject(damaged);
      expect(readFileSync(`${path}-wal`).equals(bytes)).toBe(true);
    }
    writeFileSync(`${path}-wal`, log);
    const whole = await openSqliteStore({ path });
    expect(await whole.get('things', 'a')).toMatchObject({ value: 'value 9' });
    await whole.close();
  });

  it('is not made anew when it is missing beside what shows that it existed', async () => {
    const key = join(folder, 'state.key');
    writeFileSync(key, '');
    await expect(openSqliteStore({ path, evidence: [key] })).rejects.toMatchObject({ ...damaged, message: expect.stringContaining(key) });
    expect(existsSync(path)).toBe(false);
  });
});

describe('an older schema', () => {
  const old = migrations.slice(0, 1);
  async function makeOld(): Promise<void> {
    const database = await openDatabase({ path, steps: old });
    database.exec(`INSERT INTO documents VALUES ('things', 'a', 3, '"kept"'); INSERT INTO log VALUES ('events', 1, '"ü"')`);
    database.close();
  }

  it('comes forward after a backup that the older version can still open', async () => {
    await makeOld();
    const store = await openSqliteStore({ path });
    expect(await store.get('things', 'a')).toEqual({ key: 'a', version: 3, value: 'kept' });
    expect(await store.read('events', 0, 1)).toEqual([{ sequence: 1, value: 'ü' }]);
    await store.close();
    const [name = ''] = readdirSync(join(folder, 'backups'));
    expect(name).toMatch(/^state-1-\d{8}T\d{9}Z\.db$/);
    const before = await openDatabase({ path: join(folder, 'backups', name), steps: old });
    expect(before.prepare('SELECT value FROM documents').all()).toMatchObject([{ value: '"kept"' }]);
    before.close();
  });

  it('stays as it was when a step fails, and is not touched when it is newer', async () => {
    await makeOld();
    const failing = [...migrations, 'CREATE TABLE more (id INTEGER); SELECT nonsense'];
    await expect(openDatabase({ path, steps: failing })).rejects.toMatchObject({ code: 'store_unavailable' });
    const database = new DatabaseSync(path);
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    database.exec('PRAGMA user_version = 99');
    database.close();
    const before = readFileSync(path);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_too_new' });
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe.skipIf(!canMount())('a full disk (needs root and Linux: mounts a file system of 2 MB)', () => {
  it('is reported, loses nothing, and is forgotten when there is room again', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
    try {
      path = join(disk, 'state.db');
      const store = await openSqliteStore({ path });
      writeFileSync(join(disk, 'filler'), Buffer.alloc(1_000_000));
      let written = 0;
      const failure = await (async () => {
        for (; written < 1_000; written += 1) await store.transact([put(`key-${written}`, 'x'.repeat(5_000)), append('one')]);
        return undefined;
      })().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'store_unavailable', retry: 'retry', message: expect.stringContaining('full') });
      expect(await store.list('things')).toHaveLength(written);
      await expect(store.backup(join(disk, 'copy.db'))).rejects.toMatchObject({ code: 'store_unavailable' });
      rmSync(join(disk, 'filler'));
      expect(await store.transact([put('after', 'y'), append('after')])).toEqual([1, written + 1]);
      await store.close();
      const again = await openSqliteStore({ path });
      expect(await again.list('things')).toHaveLength(written + 1);
      expect(await again.last('events')).toBe(written + 1);
      await again.close();
      expect(readdirSync(disk)).toEqual(['state.db']);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('skipped: a full disk (this container may not mount)');
    return false;
  }
}
