import { expect, test } from 'vitest';
import { createMeters } from './meters.ts';
import { createSketch, emptySketch, record, snapshotOf } from './sketch.ts';
import { finished, measured } from './testing/finished.ts';
import { countedAfterMs } from './waiting-outcomes.ts';

const counting = (id: string) => measured(['candidate', 'stable'], { id, attribute: 'decision' });

/** Ten requests a second that take so long (ms); `every`: of so many one is the candidate's, none with 0. */
function play(latencies: { readonly candidate: number; readonly stable: number }) {
  let now = 0;
  const meters = createMeters({ clock: { monotonic: () => now } });
  const underWay: { readonly release: 'candidate' | 'stable'; readonly endsAt: number }[] = [];
  const units = () => {
    const { strata = [] } = meters.snapshot().evidence[0]?.counts ?? {};
    return ['candidate', 'stable'].map((release) => strata.find((each) => each.release === release)?.units ?? 0);
  };
  const pass = (seconds: number, every: number): void => {
    for (let tick = 0; tick < seconds * 10; tick += 1) {
      const release = every > 0 && tick % every === 0 ? 'candidate' : 'stable';
      underWay.push({ release, endsAt: now + latencies[release] });
      now += 100;
      for (const each of underWay.splice(0)) {
        if (each.endsAt > now) underWay.push(each);
        else {
          const [probability, totalMs] = [each.release === 'candidate' ? 0.2 : 0.8, latencies[each.release]];
          meters.meterOf('test', 'app', each.release).end(finished({ totalMs, probability, attributes: 'decision=answer' }));
        }
      }
    }
  };
  meters.follow([counting('before')]);
  pass(20, 0);
  meters.follow([counting('rollout')]);
  return { pass, units };
}

test.each([
  ['quicker', { stable: 3_000, candidate: 1_000 }],
  ['slower', { stable: 1_000, candidate: 1_900 }],
])('of a candidate that is %s as many requests are counted as were drawn, at every moment', (_, latencies) => {
  const { pass, units } = play(latencies);
  for (let second = 0; second < 16; second += 1) {
    pass(1, 5);
    const [candidate = 0, stable = 0] = units();
    // Every fifth one is the candidate's: a part of five may be there.
    expect(Math.abs(stable - 4 * candidate)).toBeLessThanOrEqual(4);
  }
  expect(units()[0]).toBeGreaterThan(14);
});

function of(...milliseconds: readonly number[]) {
  const sketch = createSketch();
  for (const each of milliseconds) record(sketch, each);
  return snapshotOf(sketch);
}

test('a request counts when twice the time has passed that nearly all take, within bounds', () => {
  expect(countedAfterMs(of(100, 1_000), [of(2_000)])).toBeCloseTo(4_000, -2);
  expect(countedAfterMs(of(...Array.from({ length: 1_000 }, (_, index) => (index < 3 ? 600_000 : 100))), [])).toBeCloseTo(200, -1);
  expect([countedAfterMs(of(1), []), countedAfterMs(of(600_000), []), countedAfterMs(emptySketch, [])]).toEqual([40, 60_000, 5_000]);
});
