import { expect, test } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import { createMeasuring } from './measuring.ts';
import { createMeters } from './meters.ts';
import { gatewayCounts } from './report.ts';
import { finished, measured } from './testing/finished.ts';

function setUp() {
  let now = 0;
  const clock = { now: () => 1_800_000_000_000 + now, monotonic: () => now, sleep: () => Promise.resolve() };
  const meters = createMeters({ clock, queues: () => [{ environment: 'test', service: 'app', running: 2, queued: 1 }] });
  const measuring = createMeasuring({ clock, random: seededRandom(1), collect: async () => [['1', meters.snapshot()]] });
  measuring.follow([measured(['r1'])]);
  meters.follow([measured(['r1'])]);
  return {
    measuring,
    pass: async (seconds: number, perSecond: number, totalMs: number) => {
      for (let second = 0; second < seconds; second += 1) {
        for (let count = 0; count < perSecond; count += 1) meters.meterOf('test', 'app', 'r1').end(finished({ totalMs }));
        now += 1_000;
        await measuring.report();
      }
    },
  };
}

test('rates and quantiles are those of the last 10 and 60 seconds, counts those of the whole life', async () => {
  const { measuring, pass } = setUp();
  await measuring.report();
  await pass(100, 10, 20);
  await pass(15, 50, 80);
  const report = await measuring.report();
  expect(report.releases).toMatchObject([{ requests: 1_750 }]);
  const [short, long] = [report.last10s.releases[0], report.last60s.releases[0]];
  expect(report.last10s.seconds).toBeGreaterThanOrEqual(10);
  expect(report.last10s.seconds).toBeLessThanOrEqual(12);
  expect(short?.requestsPerSecond).toBe(50);
  expect(short?.p50).toBeCloseTo(80, -0.5);
  expect(report.last60s.seconds).toBeGreaterThanOrEqual(60);
  expect(report.last60s.seconds).toBeLessThanOrEqual(72);
  expect(long?.requestsPerSecond).toBeCloseTo((15 * 50 + (report.last60s.seconds - 15) * 10) / report.last60s.seconds, 6);
  expect(report.queues).toEqual([{ environment: 'test', service: 'app', running: 2, queued: 1 }]);
});

test('a young gateway tells the rates of the time it has lived, and its report is what its schema says', async () => {
  const { measuring, pass } = setUp();
  const first = await measuring.report();
  expect(first.last10s).toEqual({ seconds: 0, releases: [] });
  await pass(4, 5, 20);
  const report = await measuring.report();
  expect(report.last10s).toMatchObject({ seconds: 4, releases: [{ requestsPerSecond: 5, errorsPerSecond: 0 }] });
  expect(gatewayCounts.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  expect(report.epoch).toBe(first.epoch);
});

test('what a worker told just before it ended counts, whichever is heard of first', async () => {
  const clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };
  const meters = createMeters({ clock });
  const count = (): void => meters.meterOf('test', 'app', 'r1').end(finished({ totalMs: 1 }));
  const collected = Promise.withResolvers<void>();
  let isThere = true;
  const measuring = createMeasuring({
    clock,
    random: seededRandom(1),
    collect: async () => {
      if (!isThere) return [];
      const told = meters.snapshot();
      await collected.promise;
      return [['1', told]];
    },
  });
  count();
  const report = measuring.report();
  await Promise.resolve();
  count();
  isThere = false;
  measuring.workerTold('1', meters.snapshot());
  measuring.workerEnded('1');
  collected.resolve();
  await report;
  expect((await measuring.report()).releases).toMatchObject([{ requests: 2 }]);
});
