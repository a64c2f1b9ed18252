import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const position = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i);

/** What a base backup says of itself. It is written last: a folder without one is no backup. */
const manifest = z.object({
  id: z.string().regex(/^backup-[0-9a-f]{16}$/),
  /** Of PostgreSQL, such as `15`. */
  version: z.string(),
  timeline: z.number().int().positive(),
  startPosition: position,
  stopPosition: position,
  /** RFC 3339 by the server's clock; every time from `stoppedAt` on can be restored with it. */
  startedAt: z.string(),
  stoppedAt: z.string(),
  bytes: z.number(),
  /** Content of the file backup_label, which tells a recovery where to begin. */
  label: z.string(),
  files: z.array(z.object({ path: z.string(), size: z.number(), sha256: z.string() })).readonly(),
});
export type Manifest = z.infer<typeof manifest>;

export const manifestFile = 'manifest.json';

export function backupsFolder(folder: string): string {
  return join(folder, 'backups');
}

export function backupFolder(folder: string, id: string): string {
  return join(backupsFolder(folder), id);
}

/** Complete base backups, oldest first. One whose manifest cannot be read is none. */
export async function readManifests(folder: string): Promise<readonly Manifest[]> {
  const entries = await readdir(backupsFolder(folder)).catch(() => []);
  const read = await Promise.all(
    entries
      .filter((entry) => entry.startsWith('backup-'))
      .map(async (entry) => {
        try {
          const found = manifest.parse(JSON.parse(await readFile(join(backupFolder(folder, entry), manifestFile), 'utf8')));
          return found.id === entry ? found : undefined;
        } catch {
          return undefined;
        }
      }),
  );
  return read.filter((found) => found !== undefined).toSorted((left, right) => left.stoppedAt.localeCompare(right.stoppedAt));
}
