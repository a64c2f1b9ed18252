import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sluiceError } from '../errors/sluice-error.ts';
import { keyPattern } from './key.ts';

/** The key in `file`. Rejects with `admin_key_exposed` when other users could read it, with `admin_key_invalid` when it holds none. */
export async function readKeyFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((thrown: unknown) => {
    throw sluiceError('admin_key_invalid', { file }, { cause: thrown });
  });
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o077) !== 0) throw sluiceError('admin_key_exposed', { file, mode: (mode & 0o777).toString(8) });
    const key = (await handle.readFile('utf8')).trim();
    if (!keyPattern.test(key)) throw sluiceError('admin_key_invalid', { file });
    return key;
  } finally {
    await handle.close();
  }
}

/** Writes a new key file that only its owner can read. Rejects with EEXIST when the file is there: a key is never overwritten. */
export async function writeKeyFile(file: string, key: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${key}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
