import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { identify, type ProcessIdentity } from '../../effects/processes.ts';
import { seededRandom } from '../../effects/random.ts';
import { createHandedCounts, createHandingCounts, newLife } from './handed-counts.ts';
import { createMeters } from './meters.ts';
import { finished } from './testing/finished.ts';

const self = identify(process.pid) as ProcessIdentity;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-counts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what is counted until the end of a main process is with its successor, once', async () => {
  const meters = createMeters({ clock: systemClock });
  const count = (): void => meters.meterOf('test', 'app', 'r1').end(finished({ totalMs: 1 }));
  const handing = createHandingCounts(folder, self, systemClock, async () => ({ counts: { ...meters.snapshot(), evidence: [] } }));
  const ended: string[] = [];
  const heir = { ...self, ...newLife(seededRandom(1), systemClock) };
  const handed = createHandedCounts(folder, heir, systemClock, (name) => ended.push(name));
  const requests = async (): Promise<readonly (number | undefined)[]> =>
    (await handed.collect()).map(([, { releases }]) => releases[0]?.requests);

  expect(await requests()).toEqual([]);
  count();
  await Promise.all([handed.begun(5_000), handing.begin()]);
  expect(await requests()).toEqual([1]);
  count();
  await handing.finish();
  await handed.ended(5_000);
  expect([await requests(), await requests()]).toEqual([[2], []]);
  expect([ended.length, await readdir(folder)]).toEqual([1, []]);
});

test('nobody waits for one that ended without a word', async () => {
  const heir = { pid: self.pid, startTime: 'an earlier one', ...newLife(seededRandom(1), systemClock) };
  const ended: string[] = [];
  const handed = createHandedCounts(folder, heir, systemClock, (name) => ended.push(name));
  await Promise.all([handed.begun(60_000), handed.ended(60_000)]);
  expect([await handed.collect(), ended.length]).toEqual([[], 1]);
});
