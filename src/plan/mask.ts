import type { Json } from '../digest/json.ts';
import type { Kind } from '../stack/stack.ts';

/** Stands wherever a value is not shown. */
export const masked = '(secret)';

/** Where a secret comes from may be shown; what it is may not. */
const shownOfSecret = /^value\.(env|file|optional|generated(\..*)?)$/;

/** The value, or `(secret)` where the field of this kind can hold a secret. Fields of `secret` blocks are hidden unless known as harmless. */
export function maskField(kind: Kind, path: string, value: Json): Json {
  if (kind !== 'secret' || path === 'name' || path === 'state' || shownOfSecret.test(path)) return value;
  return masked;
}
