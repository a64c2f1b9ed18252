import { z } from 'zod';
import type { Kind } from '../stack.ts';

export const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const labelExpected = 'a name of lower-case letters, digits and dashes, at most 63 long, starting and ending with a letter or digit';

/** A DNS label: the form of every name in a stack, so that it can be a host name, a folder and part of an address. */
export function label() {
  return z.string().regex(labelPattern, { error: labelExpected }).meta({ 'x-type': 'name' });
}

/** The `name` of a block. */
export function blockName(kind: Kind) {
  return label().describe(`Name of the ${kind}; unique among the blocks of its kind.`);
}

/**
 * Names another block of one of `kinds`. An ordering reference makes the referrer wait until the other exists, and must not lead in a
 * circle; one that does not order only has to exist.
 */
export function refersTo(kinds: Kind | readonly Kind[], options: { ordering: boolean }) {
  return label().meta({ 'x-refers-to': typeof kinds === 'string' ? [kinds] : [...kinds], 'x-ordering': options.ordering });
}

/** Names a subnet of any network of the stack; the referrer waits for that network. */
export function subnetName() {
  return label().meta({ 'x-subnet': true });
}
