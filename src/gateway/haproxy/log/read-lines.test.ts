import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { systemClock } from '../../../effects/clock.ts';
import { until } from '../../../testing/conditions.ts';
import { readLines } from './read-lines.ts';

test('lines are read whole, however they come, and what is more than a line may be is dropped', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, { clock: systemClock, linesPerSecond: 10_000 }, (line) => lines.push(line));
  for (const piece of ['one\ntw', 'o\n', 'x'.repeat(70_000), '\nthree\n']) stream.write(piece);
  await until('the last line', () => lines.at(-1) === 'three');
  expect(lines).toEqual(['one', 'two', '', 'three']);
});

test('what comes beyond the budget stays with its sender for a while', async () => {
  let now = 0;
  const stream = new PassThrough({ highWaterMark: 64 });
  let count = 0;
  readLines(stream, { clock: { monotonic: () => now }, linesPerSecond: 100 }, () => {
    count += 1;
  });
  for (let line = 0; line < 200; line += 1) stream.write('a line\n');
  await until('some lines', () => count >= 10);
  expect(stream.isPaused()).toBe(true);
  expect(count).toBeLessThan(200);
  now = 1_000;
  await until('more lines', () => count > 20);
});
