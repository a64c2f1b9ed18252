import { execFile } from 'node:child_process';
import { appendFile, chown, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Random } from '../../../effects/random.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import type { ServerUser } from '../server/server-user.ts';
import { archiveCommand, archiveTimeoutSeconds, noArchiveCommand } from './archive/archive-commands.ts';
import type { DatabaseSizing } from './sizing.ts';

/** Role that administers a server. With its underscore it is no DNS label, so no database of a stack can have the name. */
export const administrator = 'sluice_admin';

export const settingsFile = 'sluice.conf';
const run = promisify(execFile);

export interface ClusterSpec {
  readonly name: string;
  /** Folder with `initdb` and `postgres`. */
  readonly programs: string;
  /** Folder of the server, which belongs to `user`; the data goes into `data` in it. */
  readonly folder: string;
  readonly user: ServerUser | undefined;
  readonly password: string;
  readonly random: Random;
}

/** Minimal environment of PostgreSQL's programs. Without LC_ALL the server refuses to run on macOS. */
export const programEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

export function dataFolder(folder: string): string {
  return join(folder, 'data');
}

/** Major version of the data in a server's folder; undefined when there is none, or only a part from an interrupted initialisation. */
export async function dataVersion(folder: string): Promise<string | undefined> {
  const text = await readFile(join(dataFolder(folder), 'PG_VERSION'), 'utf8').catch(() => undefined);
  return text?.trim();
}

/**
 * Makes an empty database cluster. It appears in one step when it is complete. An attempt works under a name of its own, because an
 * `initdb` whose parent was killed may still be at work under another; what such attempts leave is removed.
 */
export async function initialise(spec: ClusterSpec): Promise<void> {
  const attempt = `attempt-${Buffer.from(spec.random.bytes(6)).toString('hex')}`;
  const making = join(spec.folder, attempt);
  const passwordFile = join(spec.folder, `${attempt}.password`);
  try {
    await writeFile(passwordFile, spec.password, { mode: 0o600, flag: 'wx' });
    if (spec.user) await chown(passwordFile, spec.user.uid, spec.user.gid);
    const parameters = ['-D', making, '-U', administrator, '-E', 'UTF8', '--locale=C', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    const options = { cwd: spec.folder, env: programEnvironment, timeout: 120_000, ...spec.user };
    await run(join(spec.programs, 'initdb'), parameters, options);
    await appendFile(join(making, 'postgresql.conf'), `\ninclude '${settingsFile}'\n`);
    await rm(dataFolder(spec.folder), { recursive: true, force: true });
    await rename(making, dataFolder(spec.folder));
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const reason = stderr?.trim() || (error instanceof Error ? error.message : String(error));
    throw sluiceError('database_not_initialised', { name: spec.name, reason }, { cause: error });
  } finally {
    for (const entry of await readdir(spec.folder)) {
      if (entry.startsWith('attempt-')) await rm(join(spec.folder, entry), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly sizing: DatabaseSizing;
  /** Whether the log is archived, as backups need it. */
  readonly archived: boolean;
}

/** Writes the settings into a data folder; whether they differ from what stood there. They take effect when the server starts. */
export async function writeSettings(data: string, settings: ServerSettings, user: ServerUser | undefined): Promise<boolean> {
  const file = join(data, settingsFile);
  const text = settingsText(settings);
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before === text) return false;
  await writeFile(file, text, { mode: 0o600 });
  if (user) await chown(file, user.uid, user.gid);
  return true;
}

/** The settings file as it is to be; see settings-drift.ts for how it is read again. */
export function settingsText({ host, port, sizing, archived }: ServerSettings): string {
  return [
    '# Written by Sluice whenever the database is applied. Settings of your own belong in postgresql.auto.conf (ALTER SYSTEM).',
    `listen_addresses = '${host}'`,
    `port = ${port}`,
    "unix_socket_directories = ''",
    `max_connections = ${sizing.maxConnections}`,
    `shared_buffers = '${sizing.sharedBuffersMib}MB'`,
    'wal_level = replica',
    'archive_mode = on',
    `archive_command = '${archived ? archiveCommand : noArchiveCommand}'`,
    `archive_timeout = ${archiveTimeoutSeconds}`,
    "password_encryption = 'scram-sha-256'",
    "log_destination = 'stderr'",
    "log_timezone = 'UTC'",
    "log_line_prefix = '%m [%p] %u@%d '",
    '',
  ].join('\n');
}
