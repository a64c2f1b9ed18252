import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sluiceError } from '../../../../errors/sluice-error.ts';
import type { ServerUser } from '../../server/server-user.ts';

export interface CopiedFile {
  /** Relative to the copied folder. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface FolderContent {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

export interface CopyOptions {
  /** Whom the copies belong to; us when absent. */
  readonly user?: ServerUser | undefined;
  /** Whether each file is on disk when it has been copied; a server that begins with a recovery sees to that itself. */
  readonly synced: boolean;
  readonly signal: AbortSignal;
}

const lanes = 8;
const pieceBytes = 2 ** 20;

/** Relative paths of all below `root` that `wanted` lets in; a folder that is not wanted is not looked into. */
export async function contentOf(
  root: string,
  wanted: (path: string) => boolean,
  links: 'refused' | 'left out' = 'refused',
): Promise<FolderContent> {
  const folders: string[] = [];
  const files: string[] = [];
  const pending = [''];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true }).catch(orGone)) {
      const path = join(folder, entry.name);
      if (!wanted(path)) continue;
      if (entry.isDirectory()) {
        folders.push(path);
        pending.push(path);
      } else if (entry.isFile()) files.push(path);
      else if (entry.isSymbolicLink() && links === 'refused') throw sluiceError('database_tablespaces', { path });
    }
  }
  return { folders, files };
}

/** Copies files of one folder to another. Those that vanish meanwhile (dropped tables) are left out of the result. */
export async function copyFiles(from: string, to: string, content: FolderContent, options: CopyOptions): Promise<readonly CopiedFile[]> {
  await makeFolders(to, content.folders, options);
  const copied: CopiedFile[] = [];
  const remaining = content.files.values();
  const lane = async (): Promise<void> => {
    for (const path of remaining) {
      options.signal.throwIfAborted();
      const file = await copyFile(from, to, path, options);
      if (file) copied.push(file);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return copied;
}

async function makeFolders(root: string, folders: readonly string[], { user }: CopyOptions): Promise<void> {
  for (const folder of ['', ...folders]) {
    const path = join(root, folder);
    await mkdir(path, { mode: 0o700 });
    if (user) await chownFolder(path, user);
  }
}

async function chownFolder(path: string, user: ServerUser): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await folder.chown(user.uid, user.gid);
  } finally {
    await folder.close();
  }
}

async function copyFile(from: string, to: string, path: string, { user, synced }: CopyOptions): Promise<CopiedFile | undefined> {
  // Never through a link: what the server's user can write must not lead us, who may be root, to other files.
  const source = await open(join(from, path), constants.O_RDONLY | constants.O_NOFOLLOW).catch(orGone);
  if (Array.isArray(source)) return undefined;
  try {
    const target = await open(join(to, path), 'wx', 0o600);
    try {
      const { size, sha256 } = await pour(source, target);
      if (user) await target.chown(user.uid, user.gid);
      if (synced) await target.datasync();
      return { path, size, sha256 };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function pour(source: FileHandle, target: FileHandle): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(8_192, (await source.stat()).size + 1)));
  let size = 0;
  for (;;) {
    const { bytesRead } = await source.read(piece, 0, piece.length, null);
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
    hash.update(piece.subarray(0, bytesRead));
    await target.writeFile(piece.subarray(0, bytesRead));
    size += bytesRead;
  }
}

/** Makes names of new files and folders durable. */
export async function syncFolders(root: string, folders: readonly string[]): Promise<void> {
  for (const path of [dirname(root), root, ...folders.map((folder) => join(root, folder))]) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Bytes that the files below `root` take up on disk. */
export async function diskUse(root: string): Promise<number> {
  const { folders, files } = await contentOf(root, () => true, 'left out');
  let bytes = 0;
  for (const path of [...folders, ...files]) {
    const status = await lstat(join(root, path)).catch(() => undefined);
    bytes += (status?.blocks ?? 0) * 512;
  }
  return bytes;
}

function orGone(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
