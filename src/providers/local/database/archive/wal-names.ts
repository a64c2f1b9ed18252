/** Size of a write-ahead-log segment: initdb's default, and every cluster here was made by our initdb. */
const segmentBytes = 16 * 2 ** 20;

/** A segment by its place in the log: `number` counts segments from the beginning, the same on every timeline. */
export interface Segment {
  readonly timeline: number;
  readonly number: number;
}

const segmentsPerFile = 2 ** 32 / segmentBytes;

/** `000000010000000000000003`: timeline, upper half of the position, segment within it (PostgreSQL documentation, 30.6). */
export function segmentName({ timeline, number }: Segment): string {
  return [timeline, Math.floor(number / segmentsPerFile), number % segmentsPerFile].map(eightHex).join('');
}

export function parseSegment(name: string): Segment | undefined {
  if (!/^[0-9A-F]{24}$/.test(name)) return undefined;
  const part = (index: number): number => Number.parseInt(name.slice(index * 8, index * 8 + 8), 16);
  return { timeline: part(0), number: part(1) * segmentsPerFile + part(2) };
}

/** A position in the log, written as PostgreSQL does: `0/2000028`. */
export function parsePosition(text: string): bigint {
  const [, upper, lower] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? [];
  if (upper === undefined || lower === undefined) throw new RangeError(`not a position in the log: ${text}`);
  return (BigInt(`0x${upper}`) << 32n) + BigInt(`0x${lower}`);
}

/** Number of the segment that holds the byte at `position`. */
export function segmentAt(position: string): number {
  return Number(parsePosition(position) / BigInt(segmentBytes));
}

/** Number of the segment that holds the last byte before `position`. */
export function segmentBefore(position: string): number {
  const exact = parsePosition(position);
  return exact === 0n ? 0 : Number((exact - 1n) / BigInt(segmentBytes));
}

export function historyName(timeline: number): string {
  return `${eightHex(timeline)}.history`;
}

function eightHex(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}
