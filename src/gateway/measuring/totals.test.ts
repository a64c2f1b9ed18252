import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Counts, type ReleaseCounts, releaseKey } from './counts.ts';
import { merge } from './merge.ts';
import type { Ending } from './meter.ts';
import { createMeters } from './meters.ts';
import { drawn, finished, measured } from './testing/finished.ts';
import { createTotals } from './totals.ts';

let time = 0;
/** So much passes with every look at it that nothing is waited for any more. */
const clock = { now: () => 0, monotonic: () => (time += 100_000) };

const request = fc.record({
  release: fc.constantFrom('r1', 'r2'),
  status: fc.constantFrom(0, 200, 301, 404, 500, 503),
  ending: fc.constantFrom<Ending>('answered', 'failed', 'aborted', 'abandoned', 'refused', 'cached', 'switched'),
  totalMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
  retries: fc.nat(3),
  queuedMs: fc.double({ min: 0, max: 100, noNaN: true }),
  probability: fc.constantFrom(0.05, 0.25, 1 / 3),
  attributes: fc.constantFrom('', 'd=a', 'd=b'),
});
type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never;
const requests = fc.array(request, { maxLength: 40 });

function toldBy(all: readonly Request[]) {
  const meters = createMeters({ clock });
  meters.follow([measured(['r1', 'r2'], { attribute: 'd' })]);
  for (const { release, ...partial } of all) {
    const meter = meters.meterOf('test', 'app', release);
    meter.begin();
    meter.end(finished(partial));
  }
  return meters.snapshot();
}

function countsOf(all: readonly Request[]): Counts {
  const totals = createTotals(() => 0);
  totals.update('one', toldBy(all));
  return totals.total();
}

/** Lists in one order. */
function ordered({ releases, queues, evidence }: Counts): Counts {
  return {
    releases: releases.toSorted((left, right) => (releaseKey(left) < releaseKey(right) ? -1 : 1)),
    queues,
    evidence: evidence.map((each) => ({
      ...each,
      strata: each.strata.toSorted((left, right) => (left.release + left.probability < right.release + right.probability ? -1 : 1)),
    })),
  };
}

test('merging counts is associative and commutative and gives the counts of everything', () => {
  fc.assert(
    fc.property(requests, requests, requests, (one, two, three) => {
      const [a, b, c] = [countsOf(one), countsOf(two), countsOf(three)];
      const whole = ordered(countsOf([...one, ...two, ...three]));
      expect(ordered(merge(merge(a, b), c))).toEqual(whole);
      expect(ordered(merge(a, merge(b, c)))).toEqual(whole);
      expect(ordered(merge(c, merge(b, a)))).toEqual(whole);
    }),
    { numRuns: 50 },
  );
});

test('no counter goes back when a worker dies and another takes its place', () => {
  const totals = createTotals(() => 0);
  const service = measured(['r1'], {});
  const begin = () => {
    const meters = createMeters({ clock });
    meters.follow([service]);
    return meters;
  };
  const end = (meters: ReturnType<typeof begin>, times: number): void => {
    for (let count = 0; count < times; count += 1) {
      meters.meterOf('test', 'app', 'r1').begin();
      meters
        .meterOf('test', 'app', 'r1')
        .end(finished({ ...(count % 2 === 0 && { by: 'unit', draw: drawn({ other: 0.5, r1: 0.5 }) }), unit: count, probability: 0.5 }));
    }
  };
  const requestsNow = () => totals.total().releases[0]?.requests;
  const unitsNow = () => totals.total().evidence[0]?.strata[0]?.units;

  const [first, second] = [begin(), begin()];
  end(first, 4);
  first.meterOf('test', 'app', 'r1').begin();
  end(second, 3);
  totals.update('1', first.snapshot());
  totals.update('2', second.snapshot());
  expect([requestsNow(), unitsNow(), totals.total().releases[0]?.inFlight]).toEqual([7, 5, 1]);
  totals.ended('1');
  expect([requestsNow(), unitsNow(), totals.total().releases[0]?.inFlight]).toEqual([7, 5, 0]);
  const third = begin();
  totals.update('3', third.snapshot());
  end(third, 1);
  totals.update('3', third.snapshot());
  expect([requestsNow(), unitsNow()]).toEqual([8, 5]);
});

test('a release that left the table is told of for a while and then forgotten, and so are dead workers of it', () => {
  let now = 0;
  const totals = createTotals(() => now);
  const meters = createMeters({ clock: { monotonic: () => now } });
  const follow = (...releases: string[]): void => {
    totals.follow([measured(releases)]);
    meters.follow([measured(releases)]);
  };
  follow('r1');
  meters.meterOf('test', 'app', 'r1').begin();
  meters.meterOf('test', 'app', 'r1').end(finished());
  const told = (): readonly ReleaseCounts['release'][] => {
    totals.update('1', meters.snapshot());
    return totals.total().releases.map(({ release }) => release);
  };
  told();
  totals.ended('1');
  follow('r2');
  meters.meterOf('test', 'app', 'r2');
  expect(told().toSorted()).toEqual(['r1', 'r2']);
  now = 11 * 60_000;
  expect(told()).toEqual(['r2']);
  now = 16 * 60_000;
  follow('r2');
  expect(meters.snapshot().releases.map(({ release }) => release)).toEqual(['r2']);
});
