import { createHmac, hkdfSync } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../effects/random.ts';
import { sluiceError } from '../../errors/sluice-error.ts';

/**
 * Generated passwords and secrets are derived (HKDF-SHA-256, RFC 5869) from one random key in `home/local.key` (mode 0600) and the id of
 * their resource. So creating again after a crash, adopting and updating all yield the same value without it being stored anywhere by
 * the provider; a resource that is made anew has a new id and with it a new value.
 */
export interface DerivedSecrets {
  /** `length` characters of [A-Za-z0-9]: fit for URLs, shells and configuration files without quoting. */
  derive(id: string, purpose: string, length: number): Promise<string>;
  /** Keyed digest: tells whether a value changed, and is useless to whoever guesses at values without the key. */
  fingerprint(value: string): Promise<string>;
}

const keyLength = 32;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export function createDerivedSecrets(home: string, random: Random): DerivedSecrets {
  let loading: Promise<Buffer> | undefined;
  const key = (): Promise<Buffer> => {
    loading ??= loadKey(home, random).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  return {
    derive: async (id, purpose, length) => lettersFrom(await key(), `${purpose}:${id}`, length),
    fingerprint: async (value) => {
      const separated = Buffer.from(hkdfSync('sha256', await key(), '', 'fingerprint', keyLength));
      return `hmac-sha256:${createHmac('sha256', separated).update(value).digest('hex')}`;
    },
  };
}

/** Bytes that would favour some letters (248 and above for 62 letters) are passed over; each block of the stream has its own label. */
function lettersFrom(key: Buffer, label: string, length: number): string {
  let text = '';
  for (let block = 0; text.length < length; block += 1) {
    for (const byte of new Uint8Array(hkdfSync('sha256', key, '', `${label}:${block}`, 64))) {
      if (byte < 248 && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}

/** Of several processes that create the key at once all end with the same one: a complete file is linked into place, and the first wins. */
async function loadKey(home: string, random: Random): Promise<Buffer> {
  const file = join(home, 'local.key');
  const found = await readKey(file);
  if (found) return found;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const aside = `${file}.${Buffer.from(random.bytes(6)).toString('hex')}`;
  try {
    await writeFile(aside, random.bytes(keyLength), { mode: 0o600, flag: 'wx' });
    await chmod(aside, 0o600);
    await link(aside, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { force: true });
  }
  const key = await readKey(file);
  if (!key) throw sluiceError('local_key_unusable', { file });
  return key;
}

async function readKey(file: string): Promise<Buffer | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (bytes !== undefined && bytes.length !== keyLength) throw sluiceError('local_key_unusable', { file });
  return bytes;
}
