import { expect, test } from 'vitest';
import type { Stratum } from './counts.ts';
import type { Finished } from './meter.ts';
import { createMeters } from './meters.ts';
import { pointCount } from '../routing/split-ranges.ts';
import { sharesFrom } from '../routing/shares.ts';
import { plainProbability } from './probability.ts';
import { drawn, finished, measured } from './testing/finished.ts';
import { createTotals } from './totals.ts';
import { createUnitTable } from './unit-table.ts';

let time = 0;
/** So much passes with every look at it that nothing is waited for any more. */
const clock = { monotonic: () => (time += 100_000) };
const even = { by: 'unit', draw: drawn({ candidate: 0.5, stable: 0.5 }) } as const;
const [early, late] = [3, pointCount - 3];

/** Workers and what they tell together. */
function workersOf(names: readonly string[], evidence: Parameters<typeof measured>[1]) {
  const totals = createTotals(() => 0);
  const workers = new Map(names.map((name) => [name, createMeters({ clock })]));
  const follow = (next: typeof evidence): void => {
    const service = measured(['candidate', 'stable'], next);
    totals.follow([service]);
    for (const meters of workers.values()) meters.follow([service]);
  };
  follow(evidence);
  return {
    follow,
    end: (worker: string, release: string, partial: Partial<Finished>): void => {
      workers.get(worker)?.meterOf('test', 'app', release).end(finished(partial));
    },
    counts: (): readonly Stratum[] => {
      for (const [name, meters] of workers) totals.update(name, meters.snapshot());
      return totals.total().evidence[0]?.strata ?? [];
    },
    lost: () => totals.total().evidence[0]?.lost,
  };
}

test('outcomes are counted by release and by the chance of the draw', () => {
  const { end, counts } = workersOf(['a'], { attribute: 'decision' });
  end('a', 'candidate', { probability: 0.05, status: 500, attributes: 'decision=refund' });
  end('a', 'candidate', { probability: 0.05, totalMs: 100, attributes: 'intent=x; decision=refund' });
  end('a', 'candidate', { probability: 0.25, totalMs: 300 });
  end('a', 'stable', { probability: 0.95, status: 404, attributes: 'decision=reject' });
  expect(counts()).toEqual([
    { release: 'candidate', probability: 0.05, units: 2, errors: 1, exceedances: [1, 0], categories: { refund: 2 } },
    { release: 'candidate', probability: 0.25, units: 1, errors: 0, exceedances: [1, 1], categories: {} },
    { release: 'stable', probability: 0.95, units: 1, errors: 0, exceedances: [0, 0], categories: { reject: 1 } },
  ]);
});

test('units with a declared value of any attribute are counted, whichever way they were drawn and whichever worker saw them', () => {
  const counted = [
    { attribute: 'outcome', value: 'resolved' },
    { attribute: 'handed', value: 'over' },
  ];
  const { end, counts } = workersOf(['a', 'b'], { attribute: 'decision', counted });
  const candidate = { probability: 0.5 };
  end('a', 'candidate', { ...candidate, attributes: 'decision=refund; outcome=resolved, handed=over' });
  end('b', 'candidate', { ...candidate, attributes: 'outcome=resolved' });
  end('b', 'candidate', { ...candidate, status: 500, attributes: 'outcome=resolvedly, x-outcome=resolved, handed=overt' });
  for (const worker of ['a', 'b']) end(worker, 'stable', { ...even, unit: late, attributes: 'handed=over' });
  expect(counts()).toMatchObject([
    { release: 'candidate', units: 3, errors: 1, counted: [2, 1], categories: { refund: 1 } },
    { release: 'stable', units: 1, errors: 0, counted: [0, 1] },
  ]);
});

test('of a flag, users are counted by the variant and the key that the answer names, whichever release gave it and however often they ask', () => {
  const byVariant = { attribute: 'flag.cites', variant: 'on', probability: 0.2 };
  const { end, counts } = workersOf(['a', 'b'], { byVariant });
  end('a', 'stable', { status: 500, attributes: 'flag.cites=on, flag-key=ann' });
  end('b', 'stable', { attributes: 'flag.cites=on; flag-key=ann' });
  end('a', 'candidate', { attributes: 'flag-key=bob, decision=x, flag.cites=on' });
  // The key goes before what the gateway takes for the user.
  for (const unit of [1, 2]) end('a', 'stable', { by: 'unit', unit, draw: drawn({ stable: 1 }), attributes: 'flag.cites=off, flag-key=cid' });
  end('a', 'stable', { by: 'override', attributes: 'flag.cites=off, flag-key=dee' });
  end('a', 'stable', { attributes: 'flag.other=on, flag-key=eve' });
  // Whose these are nobody knows: a user who asks a thousand times would count as a thousand.
  for (const attributes of ['flag.cites=off', 'flag.cites=off, flag-key=']) end('a', 'stable', { attributes });
  expect(counts()).toEqual([
    { release: 'variant', probability: 0.2, units: 2, errors: 1, exceedances: [0, 0], categories: {} },
    { release: 'others', probability: 0.8, units: 1, errors: 0, exceedances: [0, 0], categories: {} },
  ]);
});

test('a user of a flag counts again at a larger share only where it was a draw again, and not at all while the share is changing', () => {
  const byVariant = { attribute: 'flag.cites', variant: 'on' };
  const { end, counts, follow } = workersOf(['a'], { byVariant: { ...byVariant, probability: 0.1 } });
  const user = { by: 'unit', draw: drawn({ stable: 1 }) } as const;
  const serve = (unit: number, served: string) => end('a', 'stable', { ...user, unit, attributes: `flag.cites=${served}` });
  serve(1, 'on');
  serve(2, 'off');
  serve(3, 'off');
  follow({ byVariant });
  serve(4, 'on');
  follow({ byVariant: { ...byVariant, probability: 0.25 } });
  serve(1, 'on');
  serve(2, 'on');
  serve(3, 'off');
  expect(counts()).toMatchObject([
    { release: 'variant', probability: 0.1, units: 1 },
    { release: 'others', probability: 0.9, units: 2 },
    { release: 'variant', probability: 1 / 6, units: 1 },
    { release: 'others', probability: 5 / 6, units: 1 },
  ]);
});

test('failed and broken-off requests are errors; overrides, cached, refused and abandoned ones are no units', () => {
  const { end, counts } = workersOf(['a'], {});
  const chance = { probability: 0.5 };
  end('a', 'stable', { ...chance, ending: 'failed', status: 502 });
  end('a', 'stable', { ...chance, ending: 'aborted' });
  end('a', 'stable', { ...chance, by: 'override' });
  for (const ending of ['cached', 'refused', 'abandoned'] as const) end('a', 'stable', { ...chance, ending, status: 500 });
  expect(counts()).toMatchObject([{ units: 2, errors: 2 }]);
});

const by = (share: number) => ({ by: 'unit', draw: drawn({ candidate: share, stable: 1 - share }) }) as const;

test('of a unit the first outcome of a draw counts, whichever workers its requests came by and however often it comes', () => {
  const { end, counts } = workersOf(['a', 'b'], {});
  for (const worker of ['a', 'b', 'a', 'b']) end(worker, 'stable', { ...even, unit: late });
  end('b', 'candidate', { ...even, unit: early, status: 500 });
  expect(counts()).toMatchObject([
    { release: 'stable', probability: 0.5, units: 1, errors: 0 },
    { release: 'candidate', probability: 0.5, units: 1, errors: 1 },
  ]);
  for (const worker of ['a', 'b']) end(worker, 'stable', { ...even, unit: late });
  expect(counts()).toMatchObject([{ units: 1 }, { units: 1 }]);
});

test('what a unit meets only later is counted apart, each thing once, with the draw it came by', () => {
  const { end, counts } = workersOf(['a', 'b'], { attribute: 'd' });
  const candidate = { ...even, unit: early };
  end('a', 'candidate', { ...candidate, totalMs: 100 });
  for (const worker of ['a', 'b', 'a']) end(worker, 'candidate', { ...candidate, status: 500, totalMs: 300, attributes: 'd=yes' });
  expect(counts()).toEqual([
    {
      release: 'candidate',
      probability: 0.5,
      units: 1,
      errors: 0,
      exceedances: [1, 0],
      categories: { yes: 1 },
      later: { errors: 1, exceedances: [0, 1] },
    },
  ]);
  // Others may be drawn anew then, and what they meet is counted there: those who stay must not go on alone.
  const other = { ...even, unit: early + 1 };
  end('a', 'candidate', other);
  end('b', 'candidate', { ...by(0.75), unit: early + 1, status: 500 });
  counts();
  for (const worker of ['a', 'b']) end(worker, 'candidate', { ...other, status: 500 });
  expect(counts()).toMatchObject([{ units: 2, errors: 0, later: { errors: 1 } }]);
});

test('beside a baseline only users of the two that are compared count, by their chance among the two', () => {
  const compared = ['candidate', 'fresh'];
  const { end, counts } = workersOf(['a'], { compared });
  const draw = drawn({ candidate: 0.2, fresh: 0.2, stable: 0.6 }, false, compared);
  end('a', 'candidate', { by: 'unit', draw, unit: early });
  for (const unit of [late, early]) end('a', 'stable', { by: 'unit', draw, unit });
  expect(counts()).toMatchObject([{ release: 'candidate', probability: 0.5, units: 1 }]);
});

test('when the shares move, a unit counts again only where it could have gone either way, by its chance given what was known of it', () => {
  const { end, counts } = workersOf(['a'], {});
  const middle = Math.round(pointCount * 0.2);
  end('a', 'candidate', { ...by(0.05), unit: early });
  end('a', 'stable', { ...by(0.05), unit: middle });
  end('a', 'stable', { ...by(0.05), unit: late });
  end('a', 'candidate', { ...by(0.25), unit: early });
  end('a', 'candidate', { ...by(0.25), unit: middle });
  end('a', 'stable', { ...by(0.25), unit: late });
  const four = 4 / 19;
  expect(counts()).toMatchObject([
    { release: 'candidate', probability: 0.05, units: 1 },
    { release: 'stable', probability: 0.95, units: 2 },
    { release: 'candidate', probability: four, units: 1 },
    { release: 'stable', probability: 1 - four, units: 1 },
  ]);
  // It shrinks: who was among the first 5 % is still there, and of the others it was a draw again.
  end('a', 'candidate', { ...by(0.1), unit: early });
  end('a', 'stable', { ...by(0.1), unit: middle });
  expect(counts().slice(4)).toMatchObject([{ release: 'stable', probability: 0.75, units: 1 }]);
  // Where no draw can have sent it, it counts for nobody.
  end('a', 'candidate', { ...by(0.1), unit: late });
  expect(counts()).toHaveLength(5);
});

test('copies are counted by themselves, with an even chance, over all workers', () => {
  const meters = ['a', 'b'].map(() => createMeters({ clock }));
  const totals = createTotals(() => 0);
  const service = measured(['candidate', 'stable'], {});
  totals.follow([service]);
  for (const [index, each] of meters.entries()) {
    each.follow([service]);
    const pair = { original: { isError: false, totalMs: 10 }, copy: { isError: index === 0, totalMs: 100 } };
    each.meterOf('test', 'app', 'candidate').copied({ release: 'stable', ...pair });
    totals.update(`${index}`, each.snapshot());
  }
  const [evidence] = totals.total().evidence;
  expect(evidence?.strata).toEqual([]);
  expect(evidence?.copies).toEqual([
    { release: 'candidate', probability: 0.5, units: 2, errors: 1, exceedances: [2, 0], categories: {} },
    { release: 'stable', probability: 0.5, units: 2, errors: 0, exceedances: [0, 0], categories: {} },
  ]);
});

test('values beyond a bounded number are counted as other, alike for all releases', () => {
  const { end, counts } = workersOf(['a'], { attribute: 'd' });
  for (let value = 0; value < 40; value += 1) end('a', 'stable', { probability: 0.5, attributes: `d=value-${value}` });
  end('a', 'candidate', { probability: 0.5, attributes: 'd=value-39, e=1' });
  end('a', 'candidate', { probability: 0.5, attributes: `d=${'x'.repeat(100)}` });
  const [stable, candidate] = counts();
  expect(Object.keys(stable?.categories ?? {})).toHaveLength(25);
  expect(stable?.categories['other']).toBe(16);
  expect(candidate?.categories).toEqual({ other: 2 });
});

test('another evidence id starts at zero, and so does another threshold', () => {
  const meters = createMeters({ clock });
  meters.follow([measured(['stable'], {})]);
  const end = () => meters.meterOf('test', 'app', 'stable').end(finished());
  end();
  meters.follow([measured(['stable'], {})]);
  end();
  expect(meters.snapshot().evidence).toMatchObject([{ counts: { id: 'rollout-1', strata: [{ units: 2 }] } }]);
  meters.follow([measured(['stable'], { id: 'rollout-2' })]);
  end();
  expect(meters.snapshot().evidence).toMatchObject([{ counts: { id: 'rollout-2', strata: [{ units: 1 }] } }]);
  meters.follow([measured(['stable'], { id: 'rollout-2', latencyThresholdsMs: [1] })]);
  expect(meters.snapshot().evidence).toMatchObject([{ counts: { id: 'rollout-2', strata: [] } }]);
  meters.follow([measured(['stable'])]);
  end();
  expect(meters.snapshot()).toMatchObject({ evidence: [], releases: [{ requests: 4 }] });
});

test('chances that are equal but for rounding are one, and equal splits are exact', () => {
  expect(plainProbability(0.1 + 0.2)).toBe(0.3);
  expect(plainProbability(1 - 2 / 3)).toBe(1 / 3);
  expect(plainProbability(1 / 3 + 1 / 3)).toBe(2 / 3);
  expect(plainProbability(0.95)).toBe(1 - 0.05);
  expect(plainProbability(0.123_456_789_1)).toBe(0.123_457);
});

test('a flood of units or chances costs evidence, is told, and never memory', () => {
  const units = createUnitTable(1_000);
  const rows = Array.from({ length: 3_000 }, (_, index) => units.rowOf(index * 4_294_967_296 + index));
  expect(new Set(rows.slice(950, 1_000)).size).toBe(50);
  expect(rows.slice(1_000).every((row) => row === -1)).toBe(true);

  const { end, counts, lost } = workersOf(['a'], {});
  for (let chance = 1; chance <= 600; chance += 1) end('a', 'stable', { probability: chance / 1_000 });
  expect(counts()).toHaveLength(512);
  expect(lost()).toEqual({ units: 0, chances: 88 });
});

test('outcomes drawn with other chances of the other releases are kept apart, over workers and units', () => {
  const { end, counts } = workersOf(['a', 'b'], {});
  const [three, other] = [sharesFrom({ candidate: 0.2, warm: 0.3, stable: 0.5 }), sharesFrom({ candidate: 0.3, warm: 0.2, stable: 0.5 })];
  for (const [unit, worker] of (['a', 'b', 'a'] as const).entries()) {
    end(worker, 'stable', { by: 'unit', unit: late - unit, draw: drawn({ candidate: 0.2, warm: 0.3, stable: 0.5 }, true) });
  }
  end('a', 'stable', { probability: 0.5, shares: other });
  end('a', 'stable', { probability: 0.5 });
  const found = counts().map(({ units, shares }) => [units, shares]);
  expect(found).toHaveLength(3);
  expect(found).toEqual(
    expect.arrayContaining([
      [3, three.byRelease],
      [1, other.byRelease],
      [1, undefined],
    ]),
  );
});

test('an experiment counts of each user the first outcome that is said, however long after, and nobody it does not know', () => {
  const service = { ...measured(['warm', 'stable'], {}), experiment: { id: 'rollout-1-experiment', attribute: 'outcome' } };
  const totals = createTotals(() => 0);
  totals.follow([service]);
  const workers = { a: createMeters({ clock }), b: createMeters({ clock }) };
  for (const meters of Object.values(workers)) meters.follow([service]);
  const end = (worker: 'a' | 'b', unit: number, attributes: string) =>
    workers[worker]
      .meterOf('test', 'app', 'warm')
      .end(finished({ ...(unit > 0 && { by: 'unit', unit, draw: drawn({ warm: 0.5, stable: 0.5 }) }), probability: 0.5, attributes }));
  end('a', 7, '');
  end('b', 7, 'outcome=resolved');
  end('b', 8, 'outcome=open');
  const tell = () => Object.entries(workers).forEach(([name, meters]) => totals.update(name, meters.snapshot()));
  tell();
  end('a', 7, 'outcome=open');
  end('a', 0, 'outcome=resolved');
  tell();
  const { evidence } = totals.total();
  expect(evidence.find(({ id }) => id === 'rollout-1-experiment')?.strata).toMatchObject([
    { units: 2, categories: { resolved: 1, open: 1 } },
  ]);
  expect(evidence.find(({ id }) => id === 'rollout-1')?.strata[0]?.units).toBe(3);
});
