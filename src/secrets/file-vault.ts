import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { Random } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { loadOrCreateKey } from './key-file.ts';
import type { Vault } from './vault.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const prefix = 'sealed:v1:';

/**
 * A vault whose key is in a file of its own (mode 0600, 32 bytes), created when missing. Sealing and fingerprints use separate keys
 * derived from it by HKDF (RFC 5869), so that neither tells anything about the other.
 */
export async function openFileVault({ keyFile, random }: { readonly keyFile: string; readonly random: Random }): Promise<Vault> {
  return createVault(await loadOrCreateKey(keyFile, random), random);
}

/** A vault over a key of 32 bytes that the caller keeps. */
export function createVault(key: Uint8Array, random: Random): Vault {
  const sealingKey = derive(key, 'sluice: sealing');
  const fingerprintKey = derive(key, 'sluice: fingerprints');
  return {
    seal: (plaintext) => {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv(algorithm, sealingKey, nonce, { authTagLength: tagBytes });
      const sealed = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${prefix}${sealed.toString('base64url')}`;
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed.slice(prefix.length), 'base64url');
      if (!sealed.startsWith(prefix) || bytes.length < nonceBytes + tagBytes) throw sluiceError('secret_unreadable', {});
      const decipher = createDecipheriv(algorithm, sealingKey, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
      try {
        return decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        // The cause is left out on purpose: it adds nothing, and errors travel far.
        throw sluiceError('secret_unreadable', {});
      }
    },
    fingerprint: (plaintext) => `sha256:${createHmac('sha256', fingerprintKey).update(plaintext, 'utf8').digest('hex')}`,
  };
}

function derive(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), purpose, 32));
}
