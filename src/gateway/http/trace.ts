import type { Random } from '../../effects/random.ts';

/** Source of identifiers in lower-case hex: randomness is drawn in blocks, as a system call per request would be felt. */
export function createIdentifiers(random: Random): (bytes: number) => string {
  let pool = '';
  let used = 0;
  return (bytes) => {
    const length = bytes * 2;
    if (used + length > pool.length) {
      pool = Buffer.from(random.bytes(2048)).toString('hex');
      used = 0;
    }
    const id = pool.slice(used, used + length);
    used += length;
    return id;
  };
}

/** Whether a client's request id can be passed on and logged as it is. */
export function isSaneRequestId(value: string): boolean {
  return /^[A-Za-z0-9._:/+=-]{1,128}$/.test(value);
}

/** A `traceparent` that must be passed on: version 00, or a later one that begins like it (W3C Trace Context, section 3.2 and 4). */
export function isTraceparent(value: string): boolean {
  const parts = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(value);
  if (parts === null) return false;
  const [, version, trace, parent, more] = parts;
  if (version === 'ff' || (version === '00' && more !== undefined)) return false;
  return !/^0+$/.test(trace as string) && !/^0+$/.test(parent as string);
}
