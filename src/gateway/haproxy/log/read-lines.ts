import type { Readable } from 'node:stream';
import type { Clock } from '../../../effects/clock.ts';

export interface LineBudget {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** What comes beyond it stays where it is, in the end with its sender. */
  readonly linesPerSecond: number;
}

/** Longer ones are dropped. */
const longestLine = 65_536;
const windowMs = 100;

/** Gives every line of a stream to `onLine`, until the stream ends. Holds no more than a line and a piece of the stream. */
export function readLines(stream: Readable, { clock, linesPerSecond }: LineBudget, onLine: (line: string) => void): void {
  let rest = '';
  let began = clock.monotonic();
  let read = 0;
  stream.setEncoding('latin1');
  stream.on('error', () => {});
  stream.on('data', (piece: string) => {
    const lines = (rest + piece).split('\n');
    const last = lines.pop() ?? '';
    rest = last.length > longestLine ? '' : last;
    for (const line of lines) onLine(line);
    const passedMs = clock.monotonic() - began;
    if (passedMs >= windowMs) {
      began += passedMs;
      read = 0;
    }
    read += lines.length;
    if (read * 1_000 < linesPerSecond * windowMs) return;
    stream.pause();
    setTimeout(() => stream.resume(), windowMs).unref();
  });
}
