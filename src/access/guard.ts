import { sluiceError } from '../errors/sluice-error.ts';
import type { Actor, Keyring } from './keyring.ts';
import { allows, type Permission } from './roles.ts';

/**
 * Who calls, once it is certain that they may. `authorization` is the header as it came; the only scheme is Bearer, and the key is
 * looked for nowhere else (a query parameter would end up in logs). Throws `unauthenticated`, `forbidden`.
 */
export async function authorize(keyring: Keyring, authorization: string | undefined, permission: Permission): Promise<Actor> {
  const [, key] = /^Bearer ([^\s]{1,128})$/i.exec(authorization ?? '') ?? [];
  const actor = key === undefined ? undefined : await keyring.authenticate(key);
  if (actor === undefined) throw sluiceError('unauthenticated', {});
  if (!allows(actor.role, permission)) throw sluiceError('forbidden', { role: actor.role, permission });
  return actor;
}
