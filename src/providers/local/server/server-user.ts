import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Address } from '../../../stack/stack.ts';
import { resourceFolder } from '../resource-names.ts';

/** User a server process runs as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Servers never run as root (PostgreSQL refuses to): started by root they run as `nobody`, on macOS as its own `_postgres`. Started by
 * anybody else they run as that user.
 */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return process.platform === 'darwin' ? { uid: 216, gid: 216 } : { uid: 65_534, gid: 65_534 };
}

/**
 * Folder under which servers keep their data: `home`, if the server's user can get there. For a server that drops root, each folder above
 * it must let that user pass:
 * - `home` itself is ours. When it is closed to all others (0700) it is opened to the server's group alone, and only for passing through
 *   (0710): no other user gains anything, and nobody can list it.
 * - Folders above `home` are not ours and are left as they are. If one of them is closed (such as /root), data is kept in
 *   /var/lib/sluice/HASH instead, HASH being that of the path of `home`.
 */
export async function serversRoot(home: string, user: ServerUser | undefined): Promise<string> {
  if (!user) return home;
  if (!(await canPass(dirname(home), user))) return outsideRoot(home);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const { mode } = await stat(home);
  if (!(await canPass(home, user))) {
    if ((mode & 0o077) === 0) {
      await chown(home, 0, user.gid);
      await chmod(home, 0o710);
    } else {
      // Its group is somebody's choice: leave it, and let others pass without reading.
      await chmod(home, (mode & 0o7777) | 0o001);
    }
  }
  return home;
}

/** Where `serversRoot` will keep data, found out without changing anything. */
export async function plannedServersRoot(home: string, user: ServerUser | undefined): Promise<string> {
  return !user || (await canPass(dirname(home), user)) ? home : outsideRoot(home);
}

function outsideRoot(home: string): string {
  const hash = createHash('sha256').update(home).digest('hex').slice(0, 12);
  return join(process.platform === 'darwin' ? '/var/db/sluice' : '/var/lib/sluice', hash);
}

/** Creates `root/group/ENVIRONMENT/NAME`, which belongs to the server's user alone; the folders above it can only be passed through. */
export async function makeServerFolder(root: string, group: string, address: Address, user: ServerUser | undefined): Promise<string> {
  const folder = resourceFolder(root, group, address);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (user) {
    // The mode given to mkdir is cut by the umask.
    for (let above = dirname(folder); above.length > root.length; above = dirname(above)) await chmod(above, 0o711);
    if (root.startsWith('/var/')) for (const above of [root, dirname(root)]) await chmod(above, 0o711);
    await chown(folder, user.uid, user.gid);
  }
  await chmod(folder, 0o700);
  return folder;
}

/** Whether `user` may pass through a folder and all above it. Folders that do not exist yet will be made passable, or by `user`. */
export async function canPass(folder: string, user: ServerUser): Promise<boolean> {
  for (let current = folder; ; current = dirname(current)) {
    const status = await stat(current).catch(() => undefined);
    if (status && !passable(status, user)) return false;
    if (current === dirname(current)) return true;
  }
}

function passable(status: { readonly mode: number; readonly uid: number; readonly gid: number }, user: ServerUser): boolean {
  if (status.uid === user.uid) return (status.mode & 0o100) !== 0;
  if (status.gid === user.gid) return (status.mode & 0o010) !== 0;
  return (status.mode & 0o001) !== 0;
}
