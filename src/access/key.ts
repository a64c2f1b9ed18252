import { hash } from 'node:crypto';
import type { Random } from '../effects/random.ts';

/** `sk_` and 256 random bits as 43 characters of base64url. */
export const keyPattern = /^sk_[A-Za-z0-9_-]{43}$/;

export function newKey(random: Random): string {
  return `sk_${Buffer.from(random.bytes(32)).toString('base64url')}`;
}

/**
 * SHA-256 in hex: what is kept of a key. A key has 256 random bits, so a slow password hash would add nothing.
 */
export function digestOfKey(key: string): string {
  return hash('sha256', key, 'hex');
}
