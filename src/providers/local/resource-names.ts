import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { sluiceError } from '../../errors/sluice-error.ts';
import { labelPattern } from '../../stack/fields/names.ts';
import type { Address } from '../../stack/stack.ts';

/** The same for the same creation, another for each later one: what is derived from it changes when the resource is made anew. */
export function resourceId(address: Address, operation: string): string {
  const { kind, name } = partsOf(address);
  const hash = createHash('sha256').update(`${address}\n${operation}`).digest('hex').slice(0, 12);
  return `${kind}-${name}-${hash}`;
}

/** `home/group/ENVIRONMENT/NAME`, and nothing else: a part that is not a DNS label never becomes part of a path. */
export function resourceFolder(home: string, group: string, address: Address): string {
  const { environment, name } = partsOf(address);
  return join(home, group, environment, name);
}

export function partsOf(address: Address): { environment: string; kind: string; name: string } {
  const [environment = '', kind = '', name = '', ...rest] = address.split('/');
  if (rest.length > 0 || !labelPattern.test(environment) || !labelPattern.test(name) || !/^[a-z_]+$/.test(kind)) {
    throw sluiceError('local_name_unusable', { name: address });
  }
  return { environment, kind, name };
}
