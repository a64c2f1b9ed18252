import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../effects/clock.ts';
import { isAlive } from '../../../../effects/processes.ts';
import { systemRandom } from '../../../../effects/random.ts';
import { until } from '../../../../testing/conditions.ts';
import { createDerivedSecrets } from '../../derived-secrets.ts';
import { operationOf, platformOver, textsOf } from '../../local-fixture.ts';
import { readManifests } from '../backup/manifest.ts';
import { findServer } from '../postgres-server.ts';
import { withAdministrator } from '../roles.ts';
import { realDatabase, type RealDatabase } from '../testdata/real-database.ts';
import { archiveCommand, restoreCommand } from './archive-commands.ts';
import { archivedFiles } from './wal-archive.ts';
import { parseSegment, segmentName } from './wal-names.ts';

describe('the commands that PostgreSQL runs for its log', () => {
  let folder: string;
  const name = '000000010000000000000003';
  beforeEach(() => {
    // A home whose path would be torn to pieces by a shell, were it part of a command.
    folder = mkdtempSync(join(tmpdir(), 'sluice it\'s $(touch x) "%f" `'));
    for (const path of ['data/pg_wal', 'archive']) mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, 'data', 'pg_wal', name), 'the log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As the server does it: `%p` and `%f` replaced, through sh, in the data folder. */
  async function run(command: string, file: string, path = join('pg_wal', file)): Promise<number> {
    const text = command.replaceAll('%p', path).replaceAll('%f', file);
    const ended = promisify(execFile)('/bin/sh', ['-c', text], { cwd: join(folder, 'data'), env: { PATH: '/usr/bin:/bin' } });
    return ended.then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  }
  const archived = () => gunzipSync(readFileSync(join(folder, 'archive', `${name}.gz`))).toString();

  it('put a segment into the archive whole, and leave nothing beside it', async () => {
    expect(await run(archiveCommand, name)).toBe(0);
    expect(archived()).toBe('the log');
    expect(readdirSync(join(folder, 'archive'))).toEqual([`${name}.gz`]);
  });

  it('agree to a segment that is there already, and never replace it by another', async () => {
    expect(await run(archiveCommand, name)).toBe(0);
    expect(await run(archiveCommand, name)).toBe(0);
    writeFileSync(join(folder, 'data', 'pg_wal', name), 'something else');
    expect(await run(archiveCommand, name)).not.toBe(0);
    expect(archived()).toBe('the log');
  });

  it('do not take a damaged copy for the segment', async () => {
    writeFileSync(join(folder, 'archive', `${name}.gz`), gzipSync('the log').subarray(0, 20));
    expect(await run(archiveCommand, name)).not.toBe(0);
  });

  it('fail without a trace when the source cannot be read, and pass over partial segments', async () => {
    rmSync(join(folder, 'data', 'pg_wal', name));
    expect(await run(archiveCommand, name)).not.toBe(0);
    expect(await run(archiveCommand, `${name}.partial`)).toBe(0);
    expect(readdirSync(join(folder, 'archive'))).toEqual([]);
  });

  it('give back what was archived, or else what the server still has, or nothing', async () => {
    expect(await run(archiveCommand, name)).toBe(0);
    writeFileSync(join(folder, 'data', 'pg_wal', name), 'reused');
    writeFileSync(join(folder, 'data', 'pg_wal', `${name.slice(0, -1)}4`), 'not archived yet');
    for (const [file, text] of [
      [name, 'the log'],
      [`${name.slice(0, -1)}4`, 'not archived yet'],
    ] as const) {
      expect(await run(restoreCommand, file, 'wanted')).toBe(0);
      expect(readFileSync(join(folder, 'data', 'wanted'), 'utf8')).toBe(text);
    }
    expect(await run(restoreCommand, `${name.slice(0, -1)}5`, 'wanted')).not.toBe(0);
    expect(existsSync(join(folder, 'data', 'x'))).toBe(false);
  });
});

describe('the names of segments', () => {
  it.each([
    ['000000010000000000000003', { timeline: 1, number: 3 }],
    ['0000000A00000001000000FF', { timeline: 10, number: 511 }],
  ])('%s is read and written', (name, segment) => {
    expect(parseSegment(name)).toEqual(segment);
    expect(segmentName(segment)).toBe(name);
  });
});

describe('the archive of a running server', () => {
  let db: RealDatabase;
  beforeAll(async () => {
    db = await realDatabase();
    await db.sql('CREATE TABLE kept (value integer)');
  });
  afterAll(() => db.remove());
  const backup = (id: string, clock = systemClock) => platformOver(db.local, clock).databases.backup(db.address, operationOf(id));
  const switchSegment = async (): Promise<string> => {
    const { host, port } = textsOf(db.applied);
    const password = await createDerivedSecrets(db.local.home, systemRandom).derive(db.applied.id, 'database administrator', 32);
    const endpoint = { host: host ?? '', port: Number(port), password };
    const { rows } = await withAdministrator(endpoint, (client) =>
      client.query<{ name: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS name'),
    );
    return rows[0]?.name ?? '';
  };
  const isArchived = async (name: string) => (await archivedFiles(db.folder)).some((file) => file.name === name);

  it('is whole although the server was killed while it archived', async () => {
    await db.sql('INSERT INTO kept SELECT generate_series(1, 100000)');
    const name = await switchSegment();
    const server = await findServer(db.folder);
    process.kill(-(server?.pid ?? 0), 'SIGKILL');
    await until('the server is gone', () => server !== undefined && !isAlive(server));
    await db.local.provider.resume(db.state());
    await until('the segment is archived', () => isArchived(name));
    const segments = (await archivedFiles(db.folder)).filter(({ segment }) => segment !== undefined);
    expect(new Set(segments.map(({ file }) => gunzipSync(readFileSync(file)).length))).toEqual(new Set([16 * 2 ** 20]));
  });

  it('is told of as failing while it cannot be written, and recovers with nothing lost', async () => {
    await backup('before');
    expect(await db.local.databases.observe(db.address)).not.toHaveProperty('archiveFailure');
    chmodSync(join(db.folder, 'archive'), 0o500);
    await db.sql('INSERT INTO kept VALUES (0)');
    const name = await switchSegment();
    const failure = await until('the failure is seen', async () => (await db.local.databases.observe(db.address))?.archiveFailure);
    expect(failure.reason).toContain(name);
    chmodSync(join(db.folder, 'archive'), 0o700);
    await db.sql('INSERT INTO kept VALUES (0)');
    await switchSegment();
    await until('the segment is archived', () => isArchived(name));
    await until('the server says so', async () => (await db.local.databases.observe(db.address))?.archiveFailure === undefined);
  });

  it('loses what no time within the retention needs, and never the last backup', async () => {
    const dayMs = 86_400_000;
    const later = (days: number) => ({ ...systemClock, now: () => systemClock.now() + days * dayMs });
    const prune = (days: number) => platformOver(db.local, later(days)).databases.prune(db.address);
    const [first] = await readManifests(db.folder);
    await db.sql('INSERT INTO kept VALUES (0)');
    const second = await backup('second');
    expect(await prune(6)).toEqual({ backups: 0, segments: expect.any(Number) });
    const before = (await archivedFiles(db.folder)).length;
    expect(await prune(8)).toMatchObject({ backups: 1 });
    expect((await archivedFiles(db.folder)).length).toBeLessThan(before);
    expect((await readManifests(db.folder)).map(({ id }) => id)).toEqual([second.id]);
    expect(first?.id).not.toBe(second.id);
    expect(await prune(80)).toEqual({ backups: 0, segments: 0 });
    expect(await platformOver(db.local, later(8)).databases.backupDue(db.address)).toBeLessThan(later(8).now());
    await db.local.databases.restore(db.address, 'latest', operationOf('after pruning'));
    expect(await db.sql('SELECT count(*)::int AS count FROM kept')).toEqual([{ count: 100_003 }]);
  });

  it('is there for a server from before there were archives as soon as it is resumed', async () => {
    await db.local.provider.suspend(db.state());
    rmSync(join(db.folder, 'archive'), { recursive: true });
    const settings = join(db.folder, 'data', 'sluice.conf');
    writeFileSync(settings, readFileSync(settings, 'utf8').replaceAll(/^(wal_level|archive_).*\n/gm, ''));
    const file = join(db.local.home, 'local', 'default', 'database', 'db.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as { details: { declared?: unknown } };
    delete record.details.declared;
    writeFileSync(file, JSON.stringify(record));
    await db.local.provider.resume(db.state());
    expect(await db.sql('SHOW archive_mode')).toEqual([{ archive_mode: 'on' }]);
    expect(await db.sql('SELECT count(*)::int AS count FROM kept')).toEqual([{ count: 100_003 }]);
    expect(await db.local.databases.backupDue(db.address)).toBe(0);
    await backup('the first');
  });

  it('goes with the database, as the plan says', async () => {
    const notes = await db.local.provider.lossOf?.(db.state());
    expect(notes).toMatchObject([{ severity: 'note', code: 'database_backups_go_too' }]);
    await db.local.provider.delete(db.state(), operationOf('end'));
    expect(readdirSync(db.local.home)).toEqual(['local.key']);
  });
});
