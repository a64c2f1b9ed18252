import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';

/**
 * Replaces a file so that after a crash at any moment it holds either the old or the new content, never a part: written aside, synced,
 * renamed, and the folder synced. The folder is created when missing.
 */
export async function writeDurably(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(aside, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/**
 * Removes what writers left beside the files of a folder when they were killed in the middle of `writeDurably`; with `recursive`, below
 * it as well. Call it only while nobody writes there.
 */
export async function removeAsides(folder: string, { recursive = false } = {}): Promise<void> {
  const names = await readdir(folder, { recursive }).catch(() => []);
  for (const name of names) if (/\.[0-9a-f]{12}\.tmp$/.test(name)) await rm(join(folder, name), { force: true });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * `path` taken from a user's file, as an absolute path inside `root`; undefined when it leads out of it: by `..`, by being absolute, or
 * through a symbolic link. What does not exist yet is judged by its nearest existing folder.
 */
export function containedPath(root: string, path: string): string | undefined {
  if (path.includes('\0')) return undefined;
  const wanted = resolve(root, path);
  if (!isInside(resolve(root), wanted)) return undefined;
  const realRoot = realpathSync(root);
  return isInside(realRoot, realpathOfNearest(wanted)) ? wanted : undefined;
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!way.startsWith(`..${sep}`) && way !== '..' && resolve(root, way) === path);
}

function realpathOfNearest(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    // A link that leads nowhere or in circles must not count as contained by its name alone.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return sep;
    const parent = dirname(path);
    return parent === path ? path : join(realpathOfNearest(parent), relative(parent, path));
  }
}
