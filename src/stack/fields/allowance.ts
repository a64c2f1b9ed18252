import { z } from 'zod';
import { whole } from './text.ts';

/** So many instances, or such a part of those that are declared: `2`, `25%`. */
export type Allowance = number | string;

const expected = 'a whole number from 0 to 1000, or a part of the instances such as 25%';

export function allowance() {
  return z
    .union([whole(0, 1000), z.string().regex(/^(?:100|\d{1,2})%$/, { error: expected })], { error: expected })
    .meta({ 'x-type': 'whole number or percentage' });
}

export function isNone(allowed: Allowance): boolean {
  return partOf(allowed, 100) === 0;
}

/**
 * How many instances more and fewer than `replicas` may be there while they are replaced. As in Kubernetes, parts of more are rounded up and those
 * of fewer down; where nothing is left of either, one may be missing, as otherwise nothing could move.
 */
export function roomToMove(
  surge: Allowance,
  unavailable: Allowance,
  replicas: number,
): { readonly surge: number; readonly unavailable: number } {
  const room = { surge: Math.ceil(partOf(surge, replicas)), unavailable: Math.floor(partOf(unavailable, replicas)) };
  return room.surge === 0 && room.unavailable === 0 ? { surge: 0, unavailable: 1 } : room;
}

function partOf(allowed: Allowance, replicas: number): number {
  return typeof allowed === 'number' ? allowed : (Number(allowed.slice(0, -1)) * replicas) / 100;
}
