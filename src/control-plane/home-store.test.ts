import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import type { DurableStore } from '../store/durable-store.ts';
import { pendingRestore } from '../store/sqlite-file.ts';
import { stageRestore } from '../store/restore.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { type HomePaths, openHome } from './home.ts';
import { lockHome } from './home-lock.ts';
import { backUpHome, openHomeStore, restoreHome } from './home-store.ts';

const clock = systemClock;
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

let folder: string;
let home: string;
let paths: HomePaths;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-home-store-'));
  home = join(folder, 'home');
  paths = await openHome(home);
});
afterEach(() => rm(folder, { recursive: true }));

const open = (wanted?: string): Promise<DurableStore> => openHomeStore({ paths, wanted, clock });
const restore = (file: string, wanted?: string, given?: string) => restoreHome({ home, file, wanted, given, clock });

async function write(value: string, wanted?: string): Promise<void> {
  const store = await open(wanted);
  await store.transact([
    { operation: 'put', collection: 'things', key: 'a', value },
    { operation: 'append', log: 'events', value },
  ]);
  await store.close();
}
async function content(): Promise<unknown> {
  const store = await open();
  const found = (await store.get('things', 'a'))?.value;
  await store.close();
  return found;
}

describe('the store of a home', () => {
  it('is remembered, with a URL in a file for its owner only', async () => {
    const url = await server.emptyDatabase();
    await write('kept', url);
    expect((await stat(paths.storeUrl)).mode & 0o777).toBe(0o600);
    expect(await content()).toBe('kept');
    expect(await readdir(home)).not.toContain('state.db');
    await chmod(paths.storeUrl, 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'store_url_exposed' });
  });

  it('is never exchanged for another, empty one', async () => {
    const [url, other] = [await server.emptyDatabase(), await server.emptyDatabase()];
    await write('here');
    const refused = await open(url).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'store_differs', message: expect.not.stringContaining(server.password) });
    await restore((await backUpHome({ home, clock })).file, url);
    await expect(open(other)).rejects.toMatchObject({ code: 'store_differs' });
    await expect(open('sqlite')).rejects.toMatchObject({ code: 'store_differs' });
    await rm(paths.storeUrl);
    await writeFile(paths.stateKey, 'k');
    await expect(open(other)).rejects.toMatchObject({ code: 'store_missing', message: expect.stringContaining(paths.stateKey) });
  });

  it('that is gone is told as damage, with the backups that are there, and not made anew', async () => {
    await write('precious');
    await writeFile(paths.stateKey, 'k');
    const { file } = await backUpHome({ home, clock });
    await rm(paths.state);
    await expect(open()).rejects.toMatchObject({ code: 'store_damaged', help: expect.stringContaining(file) });
    expect(await readdir(home)).not.toContain('state.db');
    await restore(file);
    expect(await content()).toBe('precious');
  });
});

describe('backup and restore of a home', () => {
  it('put back what was, and keep what was replaced', async () => {
    await write('old');
    const made = await backUpHome({ home, clock });
    expect(made).toMatchObject({ documents: 1, entries: 1, file: expect.stringMatching(/backups\/state-2-\d{8}T\d{9}Z\.db$/) });
    expect((await stat(made.file)).mode & 0o777).toBe(0o600);
    await write('new');
    const { replaced } = await restore(made.file);
    expect(await content()).toBe('old');
    await restore(replaced ?? '');
    expect(await content()).toBe('new');
    expect(await stat(made.file)).toMatchObject({ size: made.bytes });
  });

  it('are refused for a home that a control plane serves, and for one without a state', async () => {
    await expect(backUpHome({ home, clock })).rejects.toMatchObject({ code: 'nothing_to_back_up' });
    const lock = await lockHome(paths);
    await expect(backUpHome({ home, clock })).rejects.toMatchObject({ code: 'home_in_use' });
    await expect(restore('anything')).rejects.toMatchObject({ code: 'home_in_use' });
    lock.release();
  });

  it('take back a home whose database is damaged, keeping the damaged files', async () => {
    await write('good');
    const { file } = await backUpHome({ home, clock });
    await truncate(paths.state, 5_000);
    const damaged = await readFile(paths.state);
    await expect(open()).rejects.toMatchObject({ code: 'store_damaged', help: expect.stringContaining(file) });
    const { replaced } = await restore(file);
    expect(await content()).toBe('good');
    expect((await readFile(replaced ?? '')).equals(damaged)).toBe(true);
  });

  it.each(['missing', 'cut', 'flipped', 'foreign'])('refuse a file that is %s, and change nothing', async (kind) => {
    await write('good');
    const { file } = await backUpHome({ home, clock });
    const before = await readFile(paths.state);
    const bad = join(folder, 'bad.db');
    await copyFile(file, bad);
    if (kind === 'missing') await rm(bad);
    if (kind === 'cut') await truncate(bad, 6_000);
    if (kind === 'foreign') await writeFile(bad, 'no database at all, but long enough to be read as one'.repeat(20));
    if (kind === 'flipped') {
      const bytes = await readFile(bad);
      bytes[bytes.indexOf('"good"') + 1] = 0x47;
      await writeFile(bad, bytes);
    }
    await expect(restore(bad)).rejects.toMatchObject({ code: 'backup_unusable', message: expect.stringContaining(bad) });
    expect((await readFile(paths.state)).equals(before)).toBe(true);
    expect((await readdir(home)).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('that were cut short at any step are finished by the next start', async () => {
    await write('old');
    const { file } = await backUpHome({ home, clock });
    await write('new');
    await stageRestore(file, paths.state);
    expect(await content()).toBe('old');
    await stageRestore(file, paths.state);
    await rm(paths.state);
    await writeFile(`${paths.state}-wal`, 'left over');
    expect(await content()).toBe('old');
    expect(await readdir(home)).not.toContain(pendingRestore('state.db'));
  });

  it('move a home from SQLite to PostgreSQL and back', async () => {
    const url = await server.emptyDatabase();
    await write('moving');
    const first = await backUpHome({ home, clock });
    expect(await restore(first.file, url)).toMatchObject({ documents: 1, entries: 1, replaced: expect.stringContaining('replaced-') });
    expect(await readdir(home)).not.toContain('state.db');
    expect(await content()).toBe('moving');
    await write('moved');
    const second = await backUpHome({ home, clock });
    await restore(second.file, 'sqlite');
    expect(await readdir(home)).not.toContain('store.url');
    expect(await content()).toBe('moved');
  });

  it('replace nothing in a PostgreSQL database that another control plane uses', async () => {
    const url = await server.emptyDatabase();
    await write('there', url);
    const { file } = await backUpHome({ home, clock });
    const other = await open();
    await expect(restore(file)).rejects.toMatchObject({ code: 'store_in_use' });
    await other.transact([{ operation: 'put', collection: 'things', key: 'a', value: 'later' }]);
    await other.close();
    const { replaced } = await restore(file);
    expect(await content()).toBe('there');
    await restore(replaced ?? '');
    expect(await content()).toBe('later');
  });
});
