import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import { createAccessLog } from './access-log.ts';
import { createRotatingFile, type RotatingFileOptions } from './rotating-file.ts';
import { about, finished } from './testing/finished.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-access-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const errors: Error[] = [];
function fileOf(options: Partial<RotatingFileOptions> = {}) {
  errors.length = 0;
  const path = join(folder, 'logs', 'access.log');
  return createRotatingFile({ path, maxBytes: 1_048_576, oldFiles: 2, onError: (error) => errors.push(error), ...options });
}

function logOf(sampleRate: number, options: Partial<RotatingFileOptions> = {}) {
  return createAccessLog({ file: fileOf(options), clock: { now: () => 1_800_000_000_000 }, random: seededRandom(1), sampleRate });
}

async function lines(name = 'access.log'): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(folder, 'logs', name), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('an entry says what the request was and never what its query held', async () => {
  const log = logOf(1);
  log.observe(finished({ totalMs: 12.345_678, retries: 1 }), about({ target: '/a"b\n?token=hunter2' }));
  await log.close();
  expect(await lines()).toEqual([
    {
      time: '2027-01-15T08:00:00.000Z',
      request: 'request-1',
      trace: '4bf92f3577b34da6a3ce929d0e0e4736',
      client: '127.0.0.1',
      method: 'GET',
      host: 'app.test',
      path: '/a"b\n',
      environment: 'test',
      service: 'app',
      release: 'r1',
      instance: 'app-1',
      status: 200,
      ending: 'answered',
      firstByteMs: 5,
      totalMs: 12.346,
      queuedMs: 0,
      retries: 1,
      bytesIn: 100,
      bytesOut: 1_000,
    },
  ]);
  expect(await readFile(join(folder, 'logs', 'access.log'), 'utf8')).not.toContain('hunter2');
  expect((await stat(join(folder, 'logs', 'access.log'))).mode & 0o777).toBe(0o600);
});

test('a share of the requests and every error is written', async () => {
  const log = logOf(0.1);
  for (let count = 0; count < 1_000; count += 1) log.observe(finished({ status: count % 100 === 0 ? 503 : 200 }), about());
  await log.close();
  const written = await lines();
  expect(written.filter(({ status }) => status === 503)).toHaveLength(10);
  expect(written.length).toBeGreaterThan(60);
  expect(written.length).toBeLessThan(160);
});

test('a file that is full makes room for the next, and only so many old ones are kept', async () => {
  for (let round = 0; round < 5; round += 1) {
    const log = logOf(1, { maxBytes: 1_024 });
    for (let count = 0; count < 5; count += 1) log.observe(finished(), about({ requestId: `round-${round}` }));
    await log.close();
  }
  expect((await readdir(join(folder, 'logs'))).toSorted()).toEqual(['access.log.1', 'access.log.2']);
  expect((await lines('access.log.1'))[0]).toMatchObject({ request: 'round-4' });
  expect((await lines('access.log.2'))[0]).toMatchObject({ request: 'round-3' });
});

test('what comes faster than it can be written is dropped, counted and told', async () => {
  const file = fileOf({ maxBufferedBytes: 100 });
  for (let count = 0; count < 50; count += 1) file.write('{"a":1}');
  expect(file.dropped()).toBe(38);
  await file.close();
  expect((await lines())[0]).toEqual({ dropped: 38 });
  expect(await lines()).toHaveLength(13);
});

test('a log that cannot be written is told of once and takes nothing down', async () => {
  await mkdir(join(folder, 'logs', 'access.log'), { recursive: true });
  const file = fileOf();
  file.write('{}');
  await file.close();
  file.write('{}');
  await file.close();
  expect(errors).toHaveLength(1);
  expect(file.dropped()).toBeGreaterThanOrEqual(2);
});
