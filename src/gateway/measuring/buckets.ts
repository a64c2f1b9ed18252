/**
 * Buckets of a logarithmic histogram: every value in the range differs from the one its bucket stands for by less than 1 %. Source: Masson,
 * Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees" (VLDB 2019), with the logarithm
 * interpolated linearly between powers of two: the upper bits of a double, its exponent and the first six bits of its mantissa, are the
 * number of the bucket, so that no logarithm is computed. 64 buckets between a power of two and the next: at most 1/128 off their middle.
 * The number of buckets is fixed, so that a sketch is one array and two of them are merged by adding.
 */
export const relativeError = 1 / 128;

/** Milliseconds. What is less counts as this much, what is more as the largest: 8 microseconds and 4.6 hours. */
const smallest = 2 ** -7;
const largest = 2 ** 24;

const perOctave = 64;
const shift = 14;
const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
const upper = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

function keyOf(value: number): number {
  double[0] = value;
  return (words[upper] as number) >> shift;
}

const first = keyOf(smallest);

export const bucketCount = 31 * perOctave;

/** The bucket of a value in milliseconds. NaN counts as the smallest. */
export function bucketOf(milliseconds: number): number {
  if (!(milliseconds > smallest)) return 0;
  if (milliseconds >= largest) return bucketCount - 1;
  double[0] = milliseconds;
  return ((words[upper] as number) >> shift) - first;
}

/** The value (ms) a bucket stands for. */
export function valueOf(bucket: number): number {
  const octave = smallest * 2 ** Math.floor(bucket / perOctave);
  return octave * (1 + ((bucket % perOctave) + 0.5) / perOctave);
}
