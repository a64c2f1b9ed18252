import { describe, expect, test } from 'vitest';
import { xxh32 } from './xxh32.ts';

const prime32 = 2_654_435_761;

/** The bytes on which the reference implementation checks itself (`xxhsum`, XSUM_sanityCheck). */
function sanityBytes(length: number): string {
  let generator = BigInt(prime32);
  let bytes = '';
  for (let index = 0; index < length; index += 1) {
    bytes += String.fromCharCode(Number(generator >> 56n));
    generator = (generator * 11_400_714_785_074_694_797n) & 0xffff_ffff_ffff_ffffn;
  }
  return bytes;
}

describe('XXH32', () => {
  test.each([
    [0, 0, 0x02cc5d05],
    [0, prime32, 0x36b78ae7],
    [1, 0, 0xcf65b03e],
    [1, prime32, 0xb4545aa4],
    [14, 0, 0x1208e7e2],
    [14, prime32, 0x6af1d1fe],
    [222, 0, 0x5bd11dbd],
    [222, prime32, 0x58803c5f],
  ])('of %i bytes with seed %i is what the reference implementation expects', (length, seed, expected) => {
    expect(xxh32(sanityBytes(length), seed)).toBe(expected);
  });

  test.each([
    ['a', 1_426_945_110, 2_652_255_204],
    ['abc', 852_579_327, 2_712_565_513],
    ['abcdefgh', 196_331_195, 1_577_275_492],
    ['a-much-longer-user-identifier@example.test-0123456789', 1_418_976_491, 3_599_153_105],
  ])('of %s is what HAProxy 2.6 makes of it', (text, unseeded, seeded) => {
    expect([xxh32(text, 0), xxh32(text, prime32)]).toEqual([unseeded, seeded]);
  });
});
