const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/**
 * XXH32 (Yann Collet, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) of a string whose characters are bytes, as those of
 * header values are. Unsigned 32 bits; the same number as HAProxy's converter `xxh32(seed)`. Allocates nothing.
 */
export function xxh32(bytes: string, seed: number): number {
  const { length } = bytes;
  let at = 0;
  let hash: number;
  if (length >= 16) {
    let [one, two, three, four] = [seed + prime1 + prime2, seed + prime2, seed, seed - prime1];
    for (; at <= length - 16; at += 16) {
      one = round(one, wordAt(bytes, at));
      two = round(two, wordAt(bytes, at + 4));
      three = round(three, wordAt(bytes, at + 8));
      four = round(four, wordAt(bytes, at + 12));
    }
    hash = rotated(one, 1) + rotated(two, 7) + rotated(three, 12) + rotated(four, 18);
  } else {
    hash = seed + prime5;
  }
  hash = (hash + length) | 0;
  for (; at <= length - 4; at += 4) hash = Math.imul(rotated((hash + Math.imul(wordAt(bytes, at), prime3)) | 0, 17), prime4);
  for (; at < length; at += 1) hash = Math.imul(rotated((hash + Math.imul(bytes.charCodeAt(at) & 0xff, prime5)) | 0, 11), prime1);
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(lane: number, word: number): number {
  return Math.imul(rotated((lane + Math.imul(word, prime2)) | 0, 13), prime1);
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function wordAt(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) & 0xff) |
    ((bytes.charCodeAt(at + 1) & 0xff) << 8) |
    ((bytes.charCodeAt(at + 2) & 0xff) << 16) |
    ((bytes.charCodeAt(at + 3) & 0xff) << 24)
  );
}
