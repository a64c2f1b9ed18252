import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { archivedFiles, archiveFolder } from '../archive/wal-archive.ts';
import { parseSegment } from '../archive/wal-names.ts';
import { removeReplaced } from '../restore/replaced.ts';
import { readTimelines } from '../restore/timelines.ts';
import { backupFolder, readManifests } from './manifest.ts';
import { keepWithin } from './retention.ts';

export interface Pruned {
  readonly backups: number;
  readonly segments: number;
}

const dayMs = 86_400_000;

/** Removes what no time of the last `retentionDays` needs any more. The log goes after the backup it belongs to: never the other way. */
export async function prune(folder: string, name: string, retentionDays: number, now: number): Promise<Pruned> {
  const manifests = await readManifests(folder);
  const kept = keepWithin({ manifests, timelines: await readTimelines(folder, name), from: now - retentionDays * dayMs });
  const old = manifests.filter(({ id }) => !kept.backups.has(id));
  for (const { id } of old) await rm(backupFolder(folder, id), { recursive: true, force: true });
  let segments = 0;
  for (const { file, name: archived, segment } of await archivedFiles(folder)) {
    // A mark of a backup has the name of the segment the backup began in. Histories of timelines stay: they are small, and as long as one is
    // there its number is not given out again.
    const place = segment ?? (archived.endsWith('.backup') ? parseSegment(archived.slice(0, 24)) : undefined);
    if (place === undefined || kept.needs(place)) continue;
    await rm(file, { force: true });
    segments += segment === undefined ? 0 : 1;
  }
  await removeLeftovers(folder, now);
  for (const kind of ['replaced', 'former'] as const) await removeReplaced(folder, now - Math.max(1, retentionDays) * dayMs, kind);
  return { backups: old.length, segments };
}

/** Copies into the archive that were cut short. */
async function removeLeftovers(folder: string, now: number): Promise<void> {
  for (const entry of await readdir(archiveFolder(folder)).catch(() => [])) {
    const file = join(archiveFolder(folder), entry);
    if (!entry.endsWith('.part')) continue;
    const status = await stat(file).catch(() => undefined);
    if (status && now - status.mtimeMs > 3_600_000) await rm(file, { force: true });
  }
}
