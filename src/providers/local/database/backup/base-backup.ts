import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Clock } from '../../../../effects/clock.ts';
import { writeDurably } from '../../../../effects/files.ts';
import { newId, type Random } from '../../../../effects/random.ts';
import { sluiceError } from '../../../../errors/sluice-error.ts';
import type { Operation } from '../../../provider.ts';
import { archivedFiles } from '../archive/wal-archive.ts';
import { parseSegment, segmentBefore, segmentName } from '../archive/wal-names.ts';
import { dataFolder, dataVersion } from '../cluster.ts';
import { type Endpoint, withAdministrator } from '../roles.ts';
import { contentOf, type CopiedFile, copyFiles, syncFolders } from './copy-files.ts';
import { backupFolder, backupsFolder, type Manifest, manifestFile } from './manifest.ts';

export interface BackupSpec {
  readonly name: string;
  /** Folder of the server. */
  readonly folder: string;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly random: Random;
}

/** How long the segments a backup needs may take to reach the archive. */
const archiveWithinMs = 60_000;

/**
 * A base backup while the server runs, by its low-level interface (PostgreSQL documentation, 26.3.3): nothing but the server itself is
 * needed. It is made aside and gets its name when it is complete and everything it needs of the log is in the archive.
 */
export async function takeBackup(spec: BackupSpec, { signal, progress }: Pick<Operation, 'signal' | 'progress'>): Promise<Manifest> {
  const id = newId('backup', spec.random);
  const making = join(backupsFolder(spec.folder), `making-${id}`);
  await mkdir(backupsFolder(spec.folder), { recursive: true, mode: 0o700 });
  await removeUnfinished(spec.folder);
  await mkdir(making, { mode: 0o700 });
  try {
    const manifest = await withAdministrator(spec.endpoint, (client) => copyUnder(client, spec, id, making, { signal, progress }), {
      queryTimeoutMs: 600_000,
    });
    progress('waiting until the log it needs is archived');
    await untilArchived(spec, manifest, signal);
    await writeDurably(join(making, manifestFile), JSON.stringify(manifest));
    await rename(making, backupFolder(spec.folder, id));
    await syncFolders(backupsFolder(spec.folder), []);
    return manifest;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** What backups that were cut short have left. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const entry of await readdir(backupsFolder(folder)).catch(() => [])) {
    if (entry.startsWith('making-')) await rm(join(backupsFolder(folder), entry), { recursive: true, force: true });
  }
}

/** The server counts the backup to this one connection: when it breaks, the backup has not been. */
async function copyUnder(
  client: pg.Client,
  spec: BackupSpec,
  id: string,
  making: string,
  { signal, progress }: Pick<Operation, 'signal' | 'progress'>,
): Promise<Manifest> {
  const { rows: versions } = await client.query<{ version: number }>("SELECT current_setting('server_version_num')::int AS version");
  // Renamed in PostgreSQL 15, which left only the non-exclusive way.
  const renamed = (versions[0]?.version ?? 0) >= 150_000;
  progress('waiting for a checkpoint');
  const start = renamed ? 'pg_backup_start($1, fast => true)' : 'pg_start_backup($1, true, false)';
  const { rows: started } = await client.query<{ position: string; segment: string; at: Date }>(
    `SELECT position::text, pg_walfile_name(position) AS segment, clock_timestamp() AS at FROM (SELECT ${start} AS position) AS started`,
    [id],
  );
  const begin = started[0];
  if (!begin) throw new Error('the server did not say where the backup begins');
  progress('copying the data');
  const copied = await copyData(dataFolder(spec.folder), join(making, 'data'), signal);
  const stop = renamed ? 'pg_backup_stop(wait_for_archive => false)' : 'pg_stop_backup(false, false)';
  const { rows: stopped } = await client.query<{ position: string; label: string; tablespaces: string; at: Date }>(
    `SELECT lsn::text AS position, labelfile AS label, spcmapfile AS tablespaces, clock_timestamp() AS at FROM ${stop}`,
  );
  const end = stopped[0];
  if (!end || end.tablespaces.trim() !== '') throw sluiceError('database_tablespaces', { path: 'pg_tblspc' });
  return {
    id,
    version: (await dataVersion(spec.folder)) ?? '',
    timeline: parseSegment(begin.segment)?.timeline ?? 1,
    startPosition: begin.position,
    stopPosition: end.position,
    startedAt: begin.at.toISOString(),
    // The driver cuts the microseconds off.
    stoppedAt: new Date(end.at.getTime() + 1).toISOString(),
    bytes: copied.reduce((sum, { size }) => sum + size, 0),
    label: end.label,
    files: copied,
  };
}

const control = join('global', 'pg_control');

/** Everything but what belongs to the running process or comes from the log; the control file last, as pg_basebackup does. */
async function copyData(from: string, to: string, signal: AbortSignal): Promise<readonly CopiedFile[]> {
  const content = await contentOf(from, belongsInBackup);
  const others = { folders: content.folders, files: content.files.filter((path) => path !== control) };
  const copied = await copyFiles(from, to, others, { synced: true, signal });
  const last = await copyFiles(
    join(from, 'global'),
    join(to, 'global-control'),
    { folders: [], files: ['pg_control'] },
    { synced: true, signal },
  );
  await rename(join(to, 'global-control', 'pg_control'), join(to, control));
  await rm(join(to, 'global-control'), { recursive: true });
  await syncFolders(to, content.folders);
  return [...copied, ...last.map(({ size, sha256 }) => ({ path: control, size, sha256 }))];
}

/** Folders whose content is for the running server alone; they have to be there, empty. */
const emptied = new Set(['pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans']);
const leftOut = new Set(['postmaster.pid', 'postmaster.opts', 'recovery.signal', 'standby.signal', 'backup_label', 'tablespace_map']);

export function belongsInBackup(path: string): boolean {
  const [top = '', ...below] = path.split('/');
  const name = below.at(-1) ?? top;
  if (emptied.has(top) && below.length > 0) return false;
  if (top === 'pg_wal' && below.length > 0) return path === join('pg_wal', 'archive_status');
  if (below.length === 0 && (leftOut.has(top) || top.endsWith('.tmp') || top.startsWith('backup_label'))) return false;
  return name !== 'pg_internal.init' && !name.startsWith('pgsql_tmp');
}

async function untilArchived(spec: BackupSpec, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const { timeline, stopPosition } = manifest;
  const wanted = segmentName({ timeline, number: segmentBefore(stopPosition) });
  const deadline = spec.clock.monotonic() + archiveWithinMs;
  // Segments are archived in order: with the last one all are there.
  while (!(await archivedFiles(spec.folder)).some(({ name }) => name === wanted)) {
    if (spec.clock.monotonic() > deadline) {
      throw sluiceError('database_backup_failed', {
        name: spec.name,
        reason: `segment ${wanted} of the write-ahead log has not been archived within ${archiveWithinMs / 1000} s`,
      });
    }
    await spec.clock.sleep(50, signal);
  }
}
