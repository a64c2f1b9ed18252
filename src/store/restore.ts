import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import pg, { type Client } from 'pg';
import { sluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { BackupSummary } from './durable-store.ts';
import { dump, load } from './postgres-backup.ts';
import { asPostgresError } from './postgres-errors.ts';
import { beginWriting, migrate } from './postgres-schema.ts';
import { applicationName, connectionSettings, parsePostgresUrl } from './postgres-url.ts';
import { removeDatabase, settle, syncPath } from './sqlite-backup.ts';
import { openDatabase, pendingRestore } from './sqlite-file.ts';
import { backupFolder, migrations, replacedName } from './sqlite-schema.ts';

export interface Restored extends BackupSummary {
  /** Where what was replaced lies now; absent when there was nothing. */
  readonly replaced?: string;
}

/**
 * Copies a backup beside the database at `path` and verifies the copy; from then on `finishRestore` will put it in place, whatever happens
 * in between. The caller holds the lock of the home. Throws `backup_unusable`; then nothing has been changed.
 */
export async function stageRestore(file: string, path: string): Promise<BackupSummary> {
  const { copy, summary } = await verifiedCopy(file, `${path}.${randomBytes(6).toString('hex')}.tmp`);
  renameSync(copy, pendingRestore(path));
  syncPath(dirname(path));
  return summary;
}

/**
 * Puts a staged restore in place and moves what it replaces to the folder of backups, with its write-ahead log. Can be cut short at any
 * moment and called again. Gives where the replaced database lies now; undefined when there was nothing to do or to replace. The caller
 * holds the lock of the home.
 */
export function finishRestore(path: string): string | undefined {
  const pending = pendingRestore(path);
  if (!existsSync(pending)) return undefined;
  // The same name however often this is begun, so that database and log end up side by side.
  const replaced = moveAside(path, statSync(pending).mtimeMs);
  renameSync(pending, path);
  syncPath(dirname(path));
  return replaced;
}

/** Moves a database with its write-ahead log to the folder of backups; undefined when there is none. */
export function moveAside(path: string, time: number): string | undefined {
  const replaced = join(backupFolder(path), replacedName(time));
  mkdirSync(dirname(replaced), { recursive: true, mode: 0o700 });
  for (const suffix of ['-shm', '-wal', '']) if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${replaced}${suffix}`);
  syncPath(dirname(replaced));
  return existsSync(replaced) || existsSync(`${replaced}-wal`) ? replaced : undefined;
}

/**
 * Puts a backup in the place of all that a PostgreSQL database holds, in one transaction, after a backup of what it holds into `folder`.
 * Throws `backup_unusable`, `store_in_use` when another process of Sluice is connected.
 */
export async function restoreIntoPostgres(file: string, url: string, folder: string, now: number): Promise<Restored> {
  const target = parsePostgresUrl(url);
  const store = target.shown;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { copy, summary } = await verifiedCopy(file, join(folder, `restoring-${randomBytes(6).toString('hex')}.tmp`));
  const client = new pg.Client(connectionSettings(target));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await migrate(client, { store });
    await client.query(beginWriting);
    await demandAlone(client, store);
    const { rows } = await client.query('SELECT 1 FROM sluice.documents UNION ALL SELECT 1 FROM sluice.log LIMIT 1');
    const replaced = rows.length === 0 ? undefined : await dump(client, join(folder, replacedName(now)));
    await load(client, copy);
    await client.query('COMMIT');
    return { ...summary, file, ...(replaced && { replaced: replaced.file }) };
  } catch (error) {
    throw asPostgresError(store, error);
  } finally {
    await client.end().catch(() => undefined);
    removeDatabase(copy);
  }
}

async function demandAlone(client: Client, store: string): Promise<void> {
  const text = `SELECT count(*)::integer AS others FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()`;
  const { rows } = await client.query<{ others: number }>(text, [applicationName]);
  const others = rows[0]?.others ?? 0;
  if (others > 0) throw sluiceError('store_in_use', { store, others });
}

/** A copy of the newest schema that is whole and says all by itself. The file itself is only read. */
async function verifiedCopy(file: string, copy: string): Promise<{ copy: string; summary: BackupSummary }> {
  try {
    if (!statSync(file).isFile()) throw new Error('it is not a file');
    copyFileSync(file, copy);
    // A database that was not closed keeps its last changes there.
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
    (await openDatabase({ path: copy, backUp: false })).close();
    return { copy, summary: { ...settle(copy, migrations.length), file } };
  } catch (error) {
    removeDatabase(copy);
    throw unusable(file, copy, error);
  }
}

function unusable(path: string, copy: string, error: unknown): SluiceError {
  const { code, message } = error as { code?: string; message: string };
  const reason = code === 'ENOENT' ? 'there is no such file' : message.replaceAll(copy, path).replace(/\.$/, '');
  return sluiceError('backup_unusable', { path, reason }, { cause: error });
}
