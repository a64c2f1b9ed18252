import { hash } from 'node:crypto';
import { canonicalJson, type Json } from './json.ts';

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

/** Of the text as UTF-8. */
export function digestText(text: string): Digest {
  return `sha256:${hash('sha256', text, 'hex')}`;
}

/** Digest of a JSON value, independent of key order. */
export function digestJson(value: Json): Digest {
  return digestText(canonicalJson(value));
}
