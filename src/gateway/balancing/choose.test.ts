import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import { type Backend, chooseAssigned, chooseInstance } from './choose.ts';
import { createInstances, type Instance } from './instance.ts';

const instances = createInstances();

function instance(id: string, state: Partial<Pick<Instance, 'healthy' | 'inFlight'>> = {}): Instance {
  const made = instances.admit({ environment: 'e', service: 's', id, host: '127.0.0.1', port: 1, release: 'r', state: 'active' });
  return Object.assign(made, { healthy: true, inFlight: 0, ...state });
}

function backendOf(release: string, weight: number, active: readonly Instance[]): Backend {
  return { release, weight, active, ready: active.filter((each) => each.healthy) };
}

function countsOf(backends: readonly Backend[], draws: number): Record<string, number> {
  const random = seededRandom(7);
  const counts: Record<string, number> = {};
  for (let index = 0; index < draws; index += 1) {
    const id = chooseInstance(backends, random)?.id ?? 'none';
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

describe('the release', () => {
  test('is drawn by weight', () => {
    const counts = countsOf(
      [backendOf('r1', 3, [instance('a')]), backendOf('r2', 1, [instance('b')]), backendOf('r3', 0, [instance('c')])],
      40_000,
    );
    expect(Object.keys(counts).toSorted()).toEqual(['a', 'b']);
    // 30,000 expected, standard deviation 87: five of them.
    expect(Math.abs((counts['a'] ?? 0) - 30_000)).toBeLessThan(435);
  });

  test('with no ready instance leaves its share to the others with weight', () => {
    const counts = countsOf([backendOf('r1', 99, [instance('a', { healthy: false })]), backendOf('r2', 1, [instance('b')])], 100);
    expect(counts).toEqual({ b: 100 });
  });

  test('with weight zero gets nothing even when nothing else is left', () => {
    expect(countsOf([backendOf('r1', 1, []), backendOf('r2', 0, [instance('b')])], 10)).toEqual({ none: 10 });
  });

  test('is drawn the same way again by the same seed', () => {
    const backends = [backendOf('r1', 1, [instance('a'), instance('b')]), backendOf('r2', 1, [instance('c')])];
    expect(countsOf(backends, 100)).toEqual(countsOf(backends, 100));
  });
});

describe('the instance', () => {
  test('is never the most loaded of three or more', () => {
    const counts = countsOf(
      [backendOf('r1', 1, [instance('a', { inFlight: 1 }), instance('b', { inFlight: 5 }), instance('c', { inFlight: 2 })])],
      500,
    );
    expect(counts['b']).toBeUndefined();
    expect(counts['a']).toBeGreaterThan(counts['c'] ?? 0);
  });

  test('is spread evenly among equals', () => {
    const ids = ['a', 'b', 'c', 'd'];
    const counts = countsOf(
      [
        backendOf(
          'r1',
          1,
          ids.map((id) => instance(id)),
        ),
      ],
      40_000,
    );
    for (const id of ids) expect(Math.abs((counts[id] ?? 0) - 10_000)).toBeLessThan(500);
  });

  test('is an unhealthy one when all are, rather than none', () => {
    const counts = countsOf([backendOf('r1', 1, [instance('a', { healthy: false }), instance('b', { healthy: false })])], 100);
    expect(Object.keys(counts).toSorted()).toEqual(['a', 'b']);
  });
});

/** How often a new instance is chosen beside one that was there. */
const shareAt = (now: number, isNewLeast: boolean): number => {
  const random = seededRandom(3);
  const [old, fresh] = [instance('old', { inFlight: isNewLeast ? 9 : 0 }), instance('fresh')];
  const backend = { ...backendOf('r1', 1, [old, fresh]), slowStartMs: 1_000 };
  old.rampingSince = -1_000;
  fresh.rampingSince = 0;
  let chosen = 0;
  for (let index = 0; index < 20_000; index += 1) if (chooseInstance([backend], random, [], now) === fresh) chosen += 1;
  return chosen / 20_000;
};

describe('an instance in its slow start', () => {
  test.each([
    [0, 0.1],
    [500, 0.55],
    [1_000, 1],
    [9_000, 1],
  ])('has after %i of 1000 ms %f of its share, however idle it is', (now, part) => {
    expect(shareAt(now, false)).toBeCloseTo(part / 2, 1);
    expect(shareAt(now, true)).toBeCloseTo(part, 1);
  });

  test('begins it with the first choice, and has its full share when the time is not told', () => {
    const fresh = instance('fresh-2');
    const backend = { ...backendOf('r1', 1, [fresh, instance('old-2')]), slowStartMs: 1_000 };
    for (let index = 0; index < 20; index += 1) chooseInstance([backend], seededRandom(index), [], 5_000);
    expect(fresh.rampingSince).toBe(5_000);
    expect(chooseInstance([{ ...backend, active: [fresh], ready: [fresh] }], seededRandom(1))).toBe(fresh);
  });
});

describe('an instance at its limit', () => {
  test('is not chosen while another is below it, however many are at theirs', () => {
    const members = ['a', 'b', 'c', 'd', 'e'].map((id) => instance(`limit-${id}`, { inFlight: id === 'd' ? 3 : 4 }));
    const backend = { ...backendOf('r1', 1, members), concurrency: 4 };
    expect(countsOf([backend], 200)).toEqual({ 'limit-d': 200 });
  });

  test('is chosen when all are at theirs', () => {
    const members = [instance('full-a', { inFlight: 4 }), instance('full-b', { inFlight: 4 })];
    expect(chooseInstance([{ ...backendOf('r1', 1, members), concurrency: 4 }], seededRandom(1))).toBeDefined();
  });
});

const chosen = (assigned: Backend, others: readonly Backend[], tried: readonly Instance[] = []): string | undefined =>
  chooseAssigned(assigned, [assigned, ...others], seededRandom(1), tried)?.id;

describe('the assigned release', () => {
  const [a, b, c] = [instance('as-a'), instance('as-b', { healthy: false }), instance('as-c', { healthy: false })];
  test('is kept to while one of its instances is ready, without weight too', () => {
    expect(chosen(backendOf('r2', 0, [a]), [backendOf('r1', 1, [instance('as-d')])])).toBe('as-a');
  });

  test('gives way to another while none of its own is ready, and is tried all the same when nothing is', () => {
    expect(chosen(backendOf('r2', 1, [b]), [backendOf('r1', 1, [a])])).toBe('as-a');
    expect(chosen(backendOf('r2', 0, [b]), [backendOf('r1', 1, [c])])).toBe('as-b');
    expect(chosen(backendOf('r2', 0, [b]), [backendOf('r1', 1, [c])], [b])).toBe('as-c');
    expect(chosen(backendOf('r2', 0, [b]), [], [b])).toBeUndefined();
  });
});

test('what is chosen is always active, untried and of a release with weight; nothing is chosen only if there is no such instance', () => {
  const member = fc.record({ healthy: fc.boolean(), inFlight: fc.nat(5), isTried: fc.boolean() });
  const release = fc.record({ weight: fc.constantFrom(0, 0.5, 1, 10), members: fc.array(member, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(release, { maxLength: 4 }), fc.integer(), (releases, seed) => {
      const tried: Instance[] = [];
      const backends = releases.map(({ weight, members }, at) =>
        backendOf(
          `r${at}`,
          weight,
          members.map(({ isTried, ...state }, index) => {
            const made = instance(`i${at}-${index}`, state);
            if (isTried) tried.push(made);
            return made;
          }),
        ),
      );
      const eligible = backends.filter(({ weight }) => weight > 0).flatMap(({ active }) => active.filter((each) => !tried.includes(each)));
      const chosen = chooseInstance(backends, seededRandom(seed), tried);
      const best = eligible.some((each) => each.healthy) ? eligible.filter((each) => each.healthy) : eligible;
      expect(best.length === 0 ? [undefined] : best).toContain(chosen);
    }),
  );
});
