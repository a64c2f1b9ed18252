import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../digest/digest.ts';
import { sluiceError } from '../errors/sluice-error.ts';

/** Never part of a release: history, state and what a package manager puts back. */
const ignoredNames = new Set(['.git', 'node_modules', '.sluice', '.DS_Store']);
const maxFiles = 20_000;
const maxBytes = 512 * 1024 * 1024;

export type ContentEntry =
  | { readonly type: 'file'; readonly path: string; readonly executable: boolean; readonly size: number }
  | { readonly type: 'link'; readonly path: string; readonly target: string };

/**
 * The files of a folder (or the one file) that make up content, by their paths relative to it, with `/`, in the order of their UTF-8
 * bytes. Bounded in number and size; symbolic links have to stay inside. Sockets, pipes and devices are no content.
 */
export async function readTree(root: string): Promise<readonly ContentEntry[]> {
  const top = await stat(root).catch((error: unknown) => unreadable(root, error));
  if (top.isFile()) return [{ type: 'file', path: '', executable: isExecutable(top.mode), size: top.size }];
  const entries: ContentEntry[] = [];
  let bytes = 0;
  const realRoot = await realpath(root);
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const names = await readdir(join(root, folder)).catch((error: unknown) => unreadable(join(root, folder ?? ''), error));
    for (const name of names) {
      if (ignoredNames.has(name)) continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      const found = await lstat(join(root, path)).catch((error: unknown) => unreadable(join(root, path), error));
      if (found.isDirectory()) folders.push(path);
      else if (found.isSymbolicLink()) entries.push({ type: 'link', path, target: await insideTarget(root, realRoot, path) });
      else if (found.isFile()) entries.push({ type: 'file', path, executable: isExecutable(found.mode), size: found.size });
      if (found.isFile()) bytes += found.size;
      if (entries.length > maxFiles) throw sluiceError('content_too_large', { path: root, limit: `${maxFiles} files` });
      if (bytes > maxBytes) throw sluiceError('content_too_large', { path: root, limit: `${maxBytes / 1024 / 1024} MiB` });
    }
  }
  return entries.toSorted((left, right) => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)));
}

/** Digest of content: paths, executable bits, link targets and bytes. Times, owners and empty folders take no part. */
export async function digestTree(root: string): Promise<Digest> {
  const hash = createHash('sha256');
  for (const entry of await readTree(root)) {
    const detail =
      entry.type === 'link'
        ? `link\0${entry.target}`
        : `${entry.executable ? 'executable' : 'file'}\0${await digestFile(join(root, entry.path))}`;
    hash.update(`${entry.path}\0${detail}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}

async function digestFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash).catch((error: unknown) => unreadable(path, error));
  return `sha256:${hash.digest('hex')}`;
}

/** The link's text, if following it stays below the root: by its text, so that a copy keeps the same meaning, and on disk. */
async function insideTarget(root: string, realRoot: string, path: string): Promise<string> {
  const target = await readlink(join(root, path));
  const byText = resolve(root, dirname(path), target);
  const onDisk = await realpath(join(root, path)).catch(() => byText);
  const inside = !isAbsolute(target) && isBelow(resolve(root), byText) && (isBelow(realRoot, onDisk) || isBelow(resolve(root), onDisk));
  if (!inside) throw sluiceError('content_link_outside', { path: join(root, path), target });
  return target;
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function isExecutable(mode: number): boolean {
  return (mode & 0o100) !== 0;
}

function unreadable(path: string, error: unknown): never {
  throw sluiceError('content_unreadable', { path, reason: (error as Error).message }, { cause: error });
}
