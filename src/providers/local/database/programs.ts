import { constants } from 'node:fs';
import { access, chmod, copyFile, link, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Random } from '../../../effects/random.ts';
import { canPass, type ServerUser } from '../server/server-user.ts';
import type { Installation } from './installations.ts';

/**
 * Folder with `initdb` and `postgres` that `user` can run. A npm package may need help: its library links are made by an install script,
 * which many do not allow to run, and it may lie where the user of the server cannot get to (below /root). Missing links are made in
 * place; where that cannot be done, or the place is out of reach, a copy is kept under `root/postgresql` (hard links where the file
 * system allows them, so that it takes no space).
 */
export async function usablePrograms(
  installation: Installation,
  root: string,
  user: ServerUser | undefined,
  random: Random,
): Promise<string> {
  const { packaged, bin } = installation;
  if (packaged === undefined) return bin;
  const reachable = user === undefined || (await canPass(join(bin, 'postgres'), user));
  if (reachable && (await executable(bin)) && (await linked(packaged))) return bin;
  return join(await copyOf(packaged, installation.version, root, random), 'bin');
}

/** Removes the copies; for when no database is left. */
export async function removeCopies(root: string): Promise<void> {
  await rm(join(root, 'postgresql'), { recursive: true, force: true });
}

async function executable(bin: string): Promise<boolean> {
  return access(join(bin, 'postgres'), constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function linked(packaged: string): Promise<boolean> {
  for (const { file, target } of await libraryLinks(packaged)) {
    if (await exists(file)) continue;
    const made = await symlink(target, file).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'EEXIST',
    );
    if (!made) return false;
  }
  return true;
}

/** The links a package lists in pg-symlinks.json, as `native/lib/libpq.so.5 -> native/lib/libpq.so.5.15`; both in one folder. */
async function libraryLinks(packaged: string): Promise<readonly { readonly file: string; readonly target: string }[]> {
  const text = await readFile(join(packaged, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[];
  return links
    .filter(({ source, target }) => isInLibrary(source) && isInLibrary(target) && dirname(source) === dirname(target))
    .map(({ source, target }) => ({ file: join(packaged, '..', target), target: basename(source) }));
}

function isInLibrary(path: string): boolean {
  return path.startsWith('native/lib/') && !path.split('/').includes('..');
}

async function copyOf(packaged: string, version: string, root: string, random: Random): Promise<string> {
  const hash = createHash('sha256').update(packaged).digest('hex').slice(0, 8);
  const copy = join(root, 'postgresql', `${version}-${hash}`);
  if (await exists(copy)) return copy;
  const aside = `${copy}.${Buffer.from(random.bytes(6)).toString('hex')}`;
  try {
    await mkdir(dirname(copy), { recursive: true });
    await chmod(dirname(copy), 0o755);
    await copyTree(packaged, aside);
    for (const { file, target } of await libraryLinks(packaged)) {
      await symlink(target, join(aside, file.slice(packaged.length + 1))).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
    // Of two creations at once the second finds a complete copy in its way, which is as good as its own.
    await rename(aside, copy).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return copy;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Everybody may read and run the copy, whatever umask the package was unpacked with. Static libraries are left out. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from)) {
    const source = join(from, entry);
    const status = await lstat(source);
    if (status.isDirectory()) await copyTree(source, join(to, entry));
    else if (status.isFile() && !entry.endsWith('.a')) await copyProgram(source, join(to, entry), status.mode);
  }
}

async function copyProgram(source: string, target: string, mode: number): Promise<void> {
  const open = 0o444 | ((mode & 0o100) === 0 ? 0 : 0o111);
  const shared =
    (mode & open) === open &&
    (await link(source, target).then(
      () => true,
      () => false,
    ));
  if (shared) return;
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, mode | open);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
