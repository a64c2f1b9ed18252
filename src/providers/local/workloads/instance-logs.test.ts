import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../effects/clock.ts';
import { until } from '../../../testing/conditions.ts';
import { followLogs, logFilesOf, readLogs } from './instance-logs.ts';
import { createLogRotator } from './log-rotator.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-logs-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const numbered = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

it('reads the last lines across rotated files, oldest first', async () => {
  const file = join(folder, 'tail.log');
  expect(await readLogs(file, { tail: 5 })).toEqual([]);
  await writeFile(`${file}.2`, text(numbered(1, 3)));
  await writeFile(`${file}.1`, text(numbered(4, 6)));
  await writeFile(file, `${text(numbered(7, 8))}unfinished`);
  await writeFile(join(folder, 'tail.log.old'), 'a stranger');
  expect(await readLogs(file, { tail: 2 })).toEqual(['line 8', 'unfinished']);
  expect(await readLogs(file, { tail: 6 })).toEqual([...numbered(4, 8), 'unfinished']);
  expect(await readLogs(file, { tail: 100 })).toEqual([...numbered(1, 8), 'unfinished']);
});

it('reads the last lines of a file much larger than what it looks at in one piece', async () => {
  const file = join(folder, 'large.log');
  await writeFile(file, text(numbered(1, 40_000)));
  expect(await readLogs(file, { tail: 20_000 })).toEqual(numbered(20_001, 40_000));
});

it('follows a log from its last lines on, across a rotation, without losing or repeating a line', async () => {
  const file = join(folder, 'followed.log');
  await writeFile(file, `${text(numbered(1, 5))}line`);
  const controller = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const line of followLogs(file, { signal: controller.signal, tail: 2 })) seen.push(line);
  })();
  await until('the tail is there', () => seen.length === 2);
  await appendFile(file, ` 6\n${text(numbered(7, 100))}`);
  await until('the new lines are there', () => seen.length === 97);
  await appendFile(file, text(numbered(101, 110)));
  await createLogRotator({ folder, clock: systemClock, maxBytes: 500, keep: 2 }).rotate();
  await appendFile(file, text(numbered(111, 112)));
  await until('all lines are there', () => seen.length === 109);
  controller.abort();
  await following;
  expect(seen).toEqual(numbered(4, 112));
});

it('keeps no more rotated files than it is told to', async () => {
  const file = join(folder, 'deep', 'kept.log');
  const rotator = createLogRotator({ folder: join(folder, 'deep'), clock: systemClock, maxBytes: 1, keep: 2 });
  await rotator.rotate();
  await mkdir(join(folder, 'deep'));
  for (const content of ['one\n', 'two\n', 'three\n', 'four\n']) {
    await appendFile(file, content);
    await rotator.rotate();
  }
  expect(await logFilesOf(file)).toEqual([file, `${file}.1`, `${file}.2`]);
  expect(await readLogs(file, { tail: 10 })).toEqual(['three', 'four']);
});
