import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';

const keyBytes = 32;

/**
 * The key in the file, made when there is no file yet. A file that others may read, that is no plain file or that has another length is
 * refused, never replaced: what it sealed would be lost.
 */
export async function loadOrCreateKey(path: string, random: Random): Promise<Uint8Array> {
  return (await readKey(path)) ?? (await createKey(path, random));
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  const refuse = (reason: string) => sluiceError('vault_key_unusable', { path, reason });
  try {
    const { mode, uid } = await lstat(path).then((found) => {
      if (!found.isFile()) throw refuse('it is not a plain file');
      return found;
    });
    if ((mode & 0o077) !== 0) throw refuse('others than its owner may read or write it');
    if (process.getuid !== undefined && uid !== process.getuid() && process.getuid() !== 0) throw refuse('it belongs to another user');
    const key = await readFile(path);
    if (key.length !== keyBytes) throw refuse(`it holds ${key.length} bytes, not ${keyBytes}`);
    return new Uint8Array(key);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EACCES' || code === 'EIO') throw refuse('it cannot be read');
    throw error;
  }
}

/** Written aside and linked into place: the file is whole from its first moment, and of two who create it at once one wins for both. */
async function createKey(path: string, random: Random): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(random.bytes(keyBytes));
    await file.sync();
    await link(aside, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const folder = await open(dirname(path), 'r');
    await folder.sync();
    await folder.close();
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
  const key = await readKey(path);
  if (key === undefined) throw sluiceError('vault_key_unusable', { path, reason: 'it vanished while it was created' });
  return key;
}
