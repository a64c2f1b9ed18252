import { createHash, type BinaryLike } from 'node:crypto';
import { canonicalJson, type Json } from './json.ts';

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

function digestBytes(bytes: BinaryLike): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Digest of a JSON value, independent of key order. */
export function digestJson(value: Json): Digest {
  return digestBytes(canonicalJson(value));
}
