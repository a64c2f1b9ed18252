import { chmod, chown, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Random } from '../../../../effects/random.ts';
import type { ServerUser } from '../../server/server-user.ts';
import { parseSegment, type Segment } from './wal-names.ts';

/** Where a server's finished log segments go: beside its data, so that the fixed archive command finds it as `../archive`. */
export function archiveFolder(folder: string): string {
  return join(folder, 'archive');
}

/** Creates the archive of a server, belonging to the server's user alone. Rights that were given to it on purpose stay. */
export async function makeArchive(folder: string, user: ServerUser | undefined): Promise<void> {
  const archive = archiveFolder(folder);
  const made = await mkdir(archive, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  await chmod(archive, 0o700);
  if (user) await chown(archive, user.uid, user.gid);
}

export interface ArchivedFile {
  readonly file: string;
  /** As PostgreSQL calls it, without the ending of the compression. */
  readonly name: string;
  /** Set for segments; other files are histories of timelines and marks of backups. */
  readonly segment: Segment | undefined;
}

export async function archivedFiles(folder: string): Promise<readonly ArchivedFile[]> {
  const archive = archiveFolder(folder);
  const entries = await readdir(archive).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.endsWith('.gz'))
    .map((entry) => {
      const name = entry.slice(0, -'.gz'.length);
      return { file: join(archive, entry), name, segment: parseSegment(name) };
    });
}

/** What a recovery can read: all archived segments, and those of the server's own log that wait to be archived. */
export async function availableSegments(folder: string): Promise<readonly Segment[]> {
  const waiting = await readdir(join(folder, 'data', 'pg_wal')).catch(() => []);
  const segments = [...(await archivedFiles(folder)).map(({ segment }) => segment), ...waiting.map(parseSegment)];
  return segments.filter((segment) => segment !== undefined);
}

/** When a segment came into the archive, in milliseconds since the epoch: no earlier than what is in it. */
export async function archivedAt(folder: string, name: string): Promise<number | undefined> {
  return stat(join(archiveFolder(folder), `${name}.gz`)).then(
    ({ mtimeMs }) => Math.floor(mtimeMs),
    () => undefined,
  );
}

/** Puts a small file into the archive as the archive command would; one that is there stays. */
export async function putInArchive(
  folder: string,
  name: string,
  content: Uint8Array,
  { user, random }: { readonly user: ServerUser | undefined; readonly random: Random },
): Promise<void> {
  const target = join(archiveFolder(folder), `${name}.gz`);
  const aside = join(archiveFolder(folder), `${name}.${Buffer.from(random.bytes(6)).toString('hex')}.part`);
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(await promisify(gzip)(content));
      if (user) await file.chown(user.uid, user.gid);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(aside, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { force: true });
  }
}
