import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../../../effects/processes.ts';
import { until } from '../../../../testing/conditions.ts';
import { operationOf, providerOver } from '../../local-fixture.ts';
import { segmentBefore, segmentName } from '../archive/wal-names.ts';
import { readManifests } from '../backup/manifest.ts';
import { findServer } from '../postgres-server.ts';
import { realDatabase, type RealDatabase } from '../testdata/real-database.ts';
import { replacedFolders } from './replaced.ts';

/** Tests by real loss, on one server; each goes on from where the one before has left it. */
describe('going back in time', () => {
  let db: RealDatabase;
  beforeAll(async () => {
    db = await realDatabase();
  });
  afterAll(() => db.remove());

  const kept = async () => (await db.sql('SELECT value FROM kept ORDER BY value')).map(({ value }) => value);
  const backup = (id: string) => db.local.databases.backup(db.address, operationOf(id));
  const restore = (to: string, id: string) => db.local.databases.restore(db.address, to, operationOf(id));
  const moments = { two: '', dropped: '', three: '' };

  it('needs a base backup', async () => {
    await expect(restore('latest', 'none')).rejects.toMatchObject({ code: 'database_no_backup' });
    expect(await db.local.databases.backupDue(db.address)).toBe(0);
  });

  it('brings a dropped table back as it was a moment before, at the same URL', async () => {
    await db.sql('CREATE TABLE kept (value integer)', 'INSERT INTO kept VALUES (1)');
    const { id } = await backup('backup');
    await db.sql('INSERT INTO kept VALUES (2)');
    moments.two = await db.aMoment();
    await db.sql('DROP TABLE kept');
    moments.dropped = await db.aMoment();
    const result = await restore(moments.two, 'first');
    expect(result.backup).toBe(id);
    expect(Date.parse(result.recoveredTo ?? '')).toBeLessThanOrEqual(Date.parse(moments.two));
    expect(await kept()).toEqual([1, 2]);
    expect(await db.local.databases.wasRestored(db.address, 'first')).toBe(true);
    expect(await db.local.provider.read(db.state())).toEqual({ status: 'present', drift: [] });
    expect(await replacedFolders(db.folder)).toHaveLength(1);
    expect(readdirSync(db.folder)).not.toContain('restoring');
  });

  it('can be done again on what was restored, and reaches what was written since', async () => {
    await db.sql('INSERT INTO kept VALUES (3)');
    moments.three = await db.aMoment();
    await db.sql('DELETE FROM kept');
    await restore(moments.three, 'second');
    expect(await kept()).toEqual([1, 2, 3]);
    expect(await replacedFolders(db.folder)).toHaveLength(1);
  });

  it('means by a time what the database held then, also before an earlier restore: so a restore can be undone', async () => {
    await restore(moments.dropped, 'third');
    await expect(kept()).rejects.toMatchObject({ code: '42P01' });
    await restore(moments.three, 'fourth');
    expect(await kept()).toEqual([1, 2, 3]);
    const { restorable } = await db.local.databases.backups(db.address);
    expect(restorable).toEqual([{ from: (await readManifests(db.folder))[0]?.stoppedAt }]);
  });

  it('includes what was committed exactly then', async () => {
    const [row] = await db.sql(
      'INSERT INTO kept VALUES (4)',
      'SELECT pg_sleep(0.01)',
      'SELECT to_char(now() AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') AS at',
    );
    await db.sql('INSERT INTO kept VALUES (5)');
    expect(await db.local.databases.planRestore(db.address, String(row?.['at']))).toMatchObject({
      to: row?.['at'],
      segments: expect.any(Number),
    });
  });

  it.each([
    ['2020-01-01T00:00:00Z', 'database_restore_too_early'],
    ['2999-01-01T00:00:00Z', 'database_restore_in_future'],
    ['yesterday', 'database_time_unreadable'],
    ["2026-11-22T10:00:00Z'; touch x", 'database_time_unreadable'],
  ])('is refused for %s, and nothing happens to the running server', async (to, code) => {
    const before = await findServer(db.folder);
    await expect(restore(to, 'refused')).rejects.toMatchObject({ code });
    await expect(db.local.databases.planRestore(db.address, to)).rejects.toMatchObject({ code });
    expect(await findServer(db.folder)).toEqual(before);
  });

  it('finds all that was committed before its server was killed, the part that was never archived included', async () => {
    await backup('another');
    await db.sql('INSERT INTO kept VALUES (6)', 'SELECT pg_current_xact_id()');
    const server = await findServer(db.folder);
    process.kill(server?.pid ?? 0, 'SIGKILL');
    await until('the server is gone', () => server !== undefined && !isAlive(server));
    await until('its children are gone', async () => !(await db.sql('SELECT 1').catch(() => undefined)));
    await restore('latest', 'killed');
    expect(await kept()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('passes over a damaged base backup to the one before', async () => {
    const [older, newest] = await readManifests(db.folder);
    const damaged = join(db.folder, 'backups', newest?.id ?? '', 'data', 'global', 'pg_control');
    writeFileSync(damaged, readFileSync(damaged).fill(0, 0, 8));
    expect((await restore('latest', 'damaged')).backup).toBe(older?.id);
    expect(await kept()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('says which segment of the log is missing, offers no such time, and leaves the server as it is', async () => {
    await backup('before the gap');
    const gap = (await readManifests(db.folder)).at(-1);
    await db.sql('INSERT INTO kept VALUES (7)');
    const unreachable = await db.aMoment();
    await backup('after the gap');
    const lost = segmentName({ timeline: gap?.timeline ?? 0, number: segmentBefore(gap?.stopPosition ?? '') + 1 });
    rmSync(join(db.folder, 'archive', `${lost}.gz`));
    // The server may still have it, though it does not need it any more.
    rmSync(join(db.folder, 'data', 'pg_wal', lost), { force: true });
    const before = await findServer(db.folder);
    await expect(restore(unreachable, 'missing')).rejects.toMatchObject({
      code: 'database_wal_missing',
      message: expect.stringContaining(lost),
    });
    expect(await findServer(db.folder)).toEqual(before);
    const { restorable } = await db.local.databases.backups(db.address);
    expect(restorable.some(({ from, to = '9' }) => from <= unreachable && unreachable <= to)).toBe(false);
    expect(restorable.at(-1)).not.toHaveProperty('to');
    expect(await kept()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('keeps serving after a new control plane has taken over', async () => {
    const next = providerOver(db.local);
    await next.resume(db.state());
    expect(await next.read(db.state())).toEqual({ status: 'present', drift: [] });
    expect(await kept()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
