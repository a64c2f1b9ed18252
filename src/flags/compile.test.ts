import { FlagdCore } from '@openfeature/flagd-core';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../digest/json.ts';
import { seededRandom } from '../effects/random.ts';
import { flag, type FlagRule } from '../stack/kinds/flag.ts';
import { buckets, compile } from './compile.ts';
import { evaluable } from './evaluate.ts';
import type { FlagDefinition, Override } from './flag.ts';

const users = Array.from({ length: 4_000 }, (_, index) => `user-${index}`);
const hand = { by: 'ann', at: '2026-11-22T12:00:00.000Z' };

function served(definition: FlagDefinition, override?: Override, name = 'f'): ReadonlyMap<string, string> {
  const subject = evaluable({ name, definition, override });
  return new Map(
    users.map((targetingKey) => {
      const evaluation = subject.evaluate({ targetingKey });
      return [targetingKey, evaluation.ok ? evaluation.variant : evaluation.errorCode];
    }),
  );
}

const splitting = (split: Record<string, number>, fallback = 'off', names = Object.keys(split)): FlagDefinition => ({
  variants: Object.fromEntries(names.map((name) => [name, name])),
  default: fallback,
  rules: [{ split, by: 'user' }],
});
const percent = (share: number): Override => ({ action: 'percent', variant: 'on', percent: share, attribute: 'user', ...hand });
const share = (who: ReadonlyMap<string, string>, variant: string): readonly string[] => users.filter((user) => who.get(user) === variant);

describe('a compiled flag', () => {
  it('is valid for flagd, and only what the block says is in it', () => {
    const warned: string[] = [];
    const log = (text: string): void => void warned.push(text);
    const core = new FlagdCore(undefined, { debug: log, info: log, warn: log, error: log }, { disableDynamicCodeGeneration: true });
    const {
      variants,
      default: fallback,
      rules,
    } = flag.schema.parse({
      name: 'f',
      variants: { on: true, off: false },
      default: 'off',
      rules: [
        { when: { plan: ['pro', 'enterprise'], 'address.country': 'NZ' }, serve: 'on' },
        { when: { beta: true }, split: { on: 10, off: 90 }, by: 'team' },
        { split: { on: 10, off: 90 }, by: 'user' },
      ],
    });
    const { serving, matching } = compile({ variants, default: fallback, rules }, percent(12.5));
    core.setConfigurations(JSON.stringify({ flags: { f: serving, which: matching } }));
    expect(warned).toEqual([]);
    expect(core.resolveBooleanEvaluation('f', true, { targetingKey: 'x', plan: 'pro', address: { country: 'NZ' } }).value).toBe(true);
    expect(JSON.stringify(serving)).not.toContain('ann');
  });

  it('keeps every user it has when a share grows, moves nobody between the others, and does not mind the order in which it is written', () => {
    for (const [before, after] of [
      [
        { on: 5, off: 95 },
        { on: 25, off: 75 },
      ],
      [
        { a: 10, b: 20, off: 70 },
        { a: 10, b: 45, off: 45 },
      ],
      [
        { a: 10, b: 20, off: 70 },
        { a: 30, b: 20, off: 50 },
      ],
      [
        { a: 10, b: 20, c: 5, off: 65 },
        { a: 10, b: 20, c: 30, off: 40 },
      ],
    ] as Record<string, number>[][]) {
      const [one, two] = [served(splitting(before ?? {})), served(splitting(after ?? {}))];
      const moved = users.filter((user) => one.get(user) !== two.get(user));
      expect(moved.length).toBeGreaterThan(0);
      expect(moved.filter((user) => one.get(user) !== 'off')).toEqual([]);
      const reversed = Object.fromEntries(Object.entries(after ?? {}).toReversed());
      expect(served(splitting(reversed))).toEqual(two);
    }
  });

  it('gives each variant its share, within what chance allows', () => {
    const who = served(splitting({ a: 10, b: 30, off: 60 }));
    for (const [variant, wanted] of [
      ['a', 0.1],
      ['b', 0.3],
      ['off', 0.6],
    ] as const) {
      // Five standard deviations of a binomial share.
      expect(Math.abs(share(who, variant).length / users.length - wanted)).toBeLessThan(
        5 * Math.sqrt((wanted * (1 - wanted)) / users.length),
      );
    }
  });

  it('is different luck for different flags', () => {
    const [one, two] = [
      share(served(splitting({ on: 50, off: 50 })), 'on'),
      share(served(splitting({ on: 50, off: 50 }), undefined, 'g'), 'on'),
    ];
    const both = one.filter((user) => two.includes(user)).length / users.length;
    expect(Math.abs(both - 0.25)).toBeLessThan(0.05);
  });

  it('lets a share set by hand grow from 0 to everybody without taking it from anyone, and over the share of the stack', () => {
    const stack = splitting({ on: 10, off: 90 });
    const steps = [0, 0.5, 1, 5, 10, 25, 60, 99.99, 100].map((each) => new Set(share(served(stack, percent(each)), 'on')));
    const declared = share(served(stack), 'on');
    for (const [index, step] of steps.entries()) {
      const before = steps[index - 1] ?? new Set<string>();
      expect([...before].filter((user) => !step.has(user))).toEqual([]);
      expect(declared.filter((user) => !step.has(user))).toEqual([]);
    }
    expect(steps.at(-1)?.size).toBe(users.length);
  });

  it('puts the rest in the middle: the default, or the last by name', () => {
    expect(buckets({ off: 50, c: 5, b: 20, a: 25 }, 'off')).toEqual([
      ['a', 25],
      ['c', 5],
      ['off', 50],
      ['b', 20],
    ]);
    expect(buckets({ on: 100 }, 'off')).toEqual([['on', 100]]);
  });

  it('decides as a plain reading of the rules does, for random flags and contexts', () => {
    const random = seededRandom(20_261_122);
    const pick = <Value>(from: readonly Value[]): Value => from[Math.floor(random.next() * from.length)] as Value;
    const values = ['pro', 'free', 5, '5', true, false, 0, ''] as const;
    const names = ['plan', 'age', 'a.b', 'constructor', 'toString', '$flagd', 'flagKey'];
    for (let round = 0; round < 3_000; round += 1) {
      const rules = Array.from({ length: Math.floor(random.next() * 4) }, (): FlagRule => {
        const when = Object.fromEntries(
          Array.from({ length: Math.floor(random.next() * 3) }, () => [
            pick(names),
            random.next() < 0.5 ? pick(values) : [pick(values), pick(values)],
          ]),
        );
        return random.next() < 0.6
          ? { when, serve: pick(['a', 'b']) }
          : { when, split: { a: 30, b: 30, c: 40 }, by: pick(['user', 'plan', 'team']) };
      });
      const definition: FlagDefinition = { variants: { a: 1, b: 2, c: 3 }, default: 'c', rules };
      const context = randomContext(() => random.next(), pick, values);
      const evaluation = evaluable({ name: 'f', definition, override: undefined }).evaluate(context);
      const [wanted, rule] = plainly(rules, context);
      const given = evaluation.ok
        ? [evaluation.matched, rule?.split === undefined ? evaluation.variant : 'split', evaluation.reason]
        : [wanted, 'split', evaluation.errorCode];
      const missing = rule?.by === 'user' ? 'TARGETING_KEY_MISSING' : 'INVALID_CONTEXT';
      const splitting = evaluation.ok ? 'split' : missing;
      const reason = rule === undefined ? (rules.length === 0 ? 'static' : 'default') : rule.split ? splitting : 'targeting_match';
      expect(given).toEqual([wanted, rule === undefined ? 'c' : (rule.serve ?? 'split'), reason]);
    }
  });
});

function randomContext(
  next: () => number,
  pick: <Value>(from: readonly Value[]) => Value,
  values: readonly (string | number | boolean)[],
): JsonObject {
  return {
    ...(next() < 0.5 && { plan: pick(values) }),
    ...(next() < 0.5 && { age: pick(values) }),
    ...(next() < 0.5 && { a: { b: pick(values) } }),
    ...(next() < 0.3 && { constructor: pick(values) }),
    ...(next() < 0.5 && { targetingKey: `user-${next()}` }),
    ...(next() < 0.2 && { user: 'ann' }),
  };
}

/** The rule that holds, by its number: what documentation says, without JSON logic. */
function plainly(rules: readonly FlagRule[], context: JsonObject): readonly [string, FlagRule | undefined] {
  const attribute = (path: string): unknown => {
    let value: unknown = context;
    for (const name of path.split('.'))
      value = typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined;
    return value;
  };
  for (const [index, rule] of rules.entries()) {
    const holds = Object.entries(rule.when ?? {}).every(([name, wanted]) => {
      const given = attribute(name);
      return Array.isArray(wanted) ? (wanted as unknown[]).includes(given) : wanted === given;
    });
    if (holds) return [String(index + 1), rule];
  }
  return ['default', undefined];
}
