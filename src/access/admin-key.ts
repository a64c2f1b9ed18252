import { rm, stat } from 'node:fs/promises';
import type { Random } from '../effects/random.ts';
import { newKey } from './key.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import type { Keyring } from './keyring.ts';

/** Name under which the local user's key is kept. */
const localKeyName = 'local';

/**
 * Makes sure that the local user holds an admin key: the one in `file`, or a new one when there is none or when it was revoked.
 * There is no default key. Throws `admin_key_exposed` and `admin_key_invalid`: a control plane does not start on a doubtful key.
 */
export async function ensureAdminKey({ file, keyring, random }: { file: string; keyring: Keyring; random: Random }): Promise<void> {
  if (await exists(file)) {
    const { revokedAt } = await keyring.adopt(localKeyName, await readKeyFile(file));
    if (revokedAt === undefined) return;
    await rm(file);
  }
  const key = newKey(random);
  await writeKeyFile(file, key);
  await keyring.adopt(localKeyName, key);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return false;
      throw thrown;
    },
  );
}
