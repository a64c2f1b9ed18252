import { randomBytes } from 'node:crypto';

/** Randomness as a parameter. `systemRandom` is fit for secrets; a seeded one is for simulation and tests only. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform bytes. */
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => Buffer.from(take(6)).readUIntBE(0, 6) / 2 ** 48,
  bytes: (count) => take(count),
};

/** Asking the system costs far more than the bytes do, so small amounts come from a supply. What was given is wiped from it. */
let supply = Buffer.alloc(0);

function take(count: number): Uint8Array {
  if (count > 1_024) return new Uint8Array(randomBytes(count));
  if (supply.length < count) supply = randomBytes(4_096);
  const given = Uint8Array.from(supply.subarray(0, count));
  supply.fill(0, 0, count);
  supply = supply.subarray(count);
  return given;
}

/** Deterministic generator (mulberry32, Tommy Ettinger, public domain). Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)) };
}

/** A new identifier such as `run-4f0c9a7d21e5b836`: `prefix` and 64 random bits in hex. */
export function newId(prefix: string, random: Random): string {
  return `${prefix}-${Buffer.from(random.bytes(8)).toString('hex')}`;
}
