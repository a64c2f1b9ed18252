import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from './choose.ts';
import { createInstances, type Instance } from './instance.ts';
import { createOutliers, defaultOutliers, isFailureStatus } from './outliers.ts';
import { refreshBackends } from './readiness.ts';

const settings = { consecutiveFailures: 3, ejectionMs: 1_000, maxEjectedPercent: 50 };

function createRelease(count: number, rules = settings) {
  const instances = createInstances();
  const active = Array.from({ length: count }, (_each, index) =>
    instances.admit({ environment: 'e', service: 's', id: `i${index}`, host: '127.0.0.1', port: 1, release: 'r', state: 'active' }),
  );
  const backend: Backend = { release: 'r', weight: 1, active, ready: [] };
  const outliers = createOutliers(refreshBackends);
  outliers.follow([backend], rules);
  refreshBackends([backend]);
  const fail = (instance: Instance | undefined, times: number, now: number): boolean[] =>
    Array.from({ length: times }, () => outliers.report(instance as Instance, true, now));
  return { outliers, backend, active, fail };
}

describe('an instance whose requests fail', () => {
  test('is ejected after so many in a row, and taken back after its time with a slow start', () => {
    const { outliers, backend, active, fail } = createRelease(2);
    const [sick, sound] = active;
    expect(fail(sick, 2, 0)).toEqual([false, false]);
    outliers.report(sick as Instance, false, 0);
    expect(fail(sick, 3, 0)).toEqual([false, false, true]);
    expect(backend.ready).toEqual([sound]);
    expect([outliers.expire(999), backend.ready]).toEqual([false, [sound]]);
    (sick as Instance).rampingSince = 0;
    expect([outliers.expire(1_000), backend.ready]).toEqual([true, active]);
    expect(sick?.rampingSince).toBeUndefined();
  });

  test('is left out longer each time, up to ten times as long, and less long again after good time', () => {
    const { outliers, active, fail } = createRelease(2);
    const sick = active[0] as Instance;
    let now = 0;
    const lengths = Array.from({ length: 12 }, () => {
      const from = now;
      fail(sick, 3, now);
      while (sick.ejected) outliers.expire((now += 1_000));
      return (now - from) / 1_000;
    });
    expect(lengths).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
    fail(sick, 3, (now += 4_000));
    expect(outliers.expire(now + 6_999)).toBe(false);
    expect(outliers.expire(now + 7_000)).toBe(true);
  });

  test('stays when it is the last that is ready, and when too many are out', () => {
    const alone = createRelease(1);
    expect(alone.fail(alone.active[0], 10, 0)).not.toContain(true);
    const three = createRelease(3);
    expect(three.fail(three.active[0], 3, 0)).toContain(true);
    expect(three.fail(three.active[1], 3, 0)).not.toContain(true);
    const generous = createRelease(2, { ...settings, maxEjectedPercent: 100 });
    expect(generous.fail(generous.active[0], 3, 0)).toContain(true);
    expect(generous.fail(generous.active[1], 3, 0)).not.toContain(true);
  });

  test('counts as before when the table changes, and is free when it leaves its release', () => {
    const { outliers, backend, active, fail } = createRelease(4);
    const [sick, ...others] = active;
    fail(sick, 2, 0);
    outliers.follow([{ ...backend }], settings);
    expect(fail(sick, 1, 0)).toEqual([true]);
    outliers.follow([{ ...backend, active: others }], settings);
    expect(sick?.ejected).toBe(false);
  });

  test('is not helped by its checks, nor does the end of an ejection make it healthy', () => {
    const { outliers, backend, active, fail } = createRelease(2);
    const [sick, sound] = active;
    fail(sick, 3, 0);
    (sick as Instance).healthy = true;
    refreshBackends([backend]);
    expect(backend.ready).toEqual([sound]);
    (sick as Instance).healthy = false;
    outliers.expire(5_000);
    expect(backend.ready).toEqual([sound]);
  });
});

test('whatever fails in whatever order, one that was ready stays and no more than allowed are out', () => {
  const event = fc.record({ at: fc.nat(9), failures: fc.nat(6), passMs: fc.nat(3_000), isHealthy: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.nat(100), fc.array(event, { maxLength: 60 }), (count, percent, events) => {
      const { outliers, backend, active, fail } = createRelease(count, { ...settings, maxEjectedPercent: percent });
      let now = 0;
      for (const { at, failures, passMs, isHealthy } of events) {
        const instance = active[at % count] as Instance;
        instance.healthy = isHealthy;
        refreshBackends([backend]);
        const wereReady = backend.ready.length;
        fail(instance, failures, now);
        expect(wereReady === 0 || backend.ready.length > 0).toBe(true);
        expect(active.filter((each) => each.ejected).length).toBeLessThanOrEqual((count * percent) / 100);
        outliers.expire((now += passMs));
      }
      outliers.expire(Number.POSITIVE_INFINITY);
      expect(active.some((each) => each.ejected)).toBe(false);
    }),
  );
});

test('an instance is to blame for 500, 502, 503 and 504', () => {
  expect([500, 501, 502, 503, 504, 505, 499, 200].filter(isFailureStatus)).toEqual([500, 502, 503, 504]);
  expect(defaultOutliers).toEqual({ consecutiveFailures: 5, ejectionMs: 10_000, maxEjectedPercent: 50 });
});
