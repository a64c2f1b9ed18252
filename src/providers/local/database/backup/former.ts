import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { replacedName } from '../restore/replaced.ts';

const belongings = new Set(['archive', 'backups', 'timelines.json']);

/**
 * Before a cluster is made anew: archive and backups of the one before, whose data is gone, go into a folder `former-TIME`. They would be
 * in the way of the new one's, whose segments have the same names.
 */
export async function setAsideFormer(folder: string, time: number): Promise<void> {
  const there = (await readdir(folder)).filter((entry) => belongings.has(entry));
  if (there.length === 0) return;
  const former = join(folder, replacedName(time, 'former'));
  await mkdir(former, { mode: 0o700, recursive: true });
  for (const entry of there) await rename(join(folder, entry), join(former, entry));
}
