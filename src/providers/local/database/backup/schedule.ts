import { createHash } from 'node:crypto';
import type { Address } from '../../../../stack/stack.ts';

const dayMs = 86_400_000;
const spreadMs = 1_800_000;

/**
 * When the next base backup is wanted, in milliseconds since the epoch: a day after the last, less up to half an hour that differs from
 * database to database, so that they do not all copy at once. Without a usable one it is wanted at once; what was missed while nothing
 * ran is in the past, and so made up.
 */
export function nextBackup(address: Address, last: number | undefined): number {
  return last === undefined ? 0 : last + dayMs - spreadOf(address);
}

function spreadOf(address: Address): number {
  return createHash('sha256').update(address).digest().readUInt32BE(0) % spreadMs;
}
