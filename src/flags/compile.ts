import type { Flag } from '@openfeature/flagd-core';
import type { Json } from '../digest/json.ts';
import type { FlagRule } from '../stack/kinds/flag.ts';
import { holds } from './condition.ts';
import type { FlagDefinition, Override } from './flag.ts';

/**
 * A flag as flagd knows it (https://flagd.dev/reference/flag-definitions), and beside it a second definition under the same conditions
 * that says which of them held: `killed`, `override`, `default`, or the number of a rule from 1. flagd itself does not tell a split from a
 * match, nor that a split had no user to go by.
 */
export interface CompiledFlag {
  readonly serving: FlagdDefinition;
  readonly matching: FlagdDefinition;
  /** The attribute a branch splits by, for the branches that split. */
  readonly splitBy: ReadonlyMap<string, string>;
}

/** The part of flagd's schema that Sluice uses. */
export type FlagdDefinition = Omit<Flag, 'targeting' | 'variants'> & {
  readonly variants: Readonly<Record<string, Json>>;
  readonly targeting?: Json;
};

interface Branch {
  readonly name: string;
  readonly holds: Json;
  /** The condition for this branch to have decided; differs where an override that cannot be decided has to be told. */
  readonly concerns: Json;
  readonly serves: Json;
  readonly by?: string;
}

/** Shares of an override have two decimals. */
const whole = 10_000;

/** Pure: what a definition and its override serve. */
export function compile(definition: FlagDefinition, override: Override | undefined): CompiledFlag {
  const { variants, default: fallback, rules } = definition;
  if (override?.action === 'kill') return constant(variants, fallback, 'killed');
  if (override?.action === 'serve') return constant(variants, override.variant, 'override');
  const branches = [
    ...(override === undefined ? [] : [percentBranch(override)]),
    ...rules.map((rule, index) => ruleBranch(rule, String(index + 1), fallback)),
  ];
  if (branches.length === 0) return constant(variants, fallback, 'default');
  const names = [...branches.map(({ name }) => name), 'default'];
  return {
    serving: {
      state: 'ENABLED',
      variants,
      defaultVariant: fallback,
      targeting: { if: branches.flatMap(({ holds, serves }) => [holds, serves]) },
    },
    matching: {
      state: 'ENABLED',
      variants: Object.fromEntries(names.map((name) => [name, name])),
      defaultVariant: 'default',
      targeting: { if: branches.flatMap(({ name, concerns }) => [concerns, name]) },
    },
    splitBy: new Map(branches.flatMap(({ name, by }) => (by === undefined ? [] : [[name, by] as const]))),
  };
}

function constant(variants: FlagDefinition['variants'], variant: string, branch: string): CompiledFlag {
  return {
    serving: { state: 'ENABLED', variants, defaultVariant: variant },
    matching: { state: 'ENABLED', variants: { [branch]: branch }, defaultVariant: branch },
    splitBy: new Map(),
  };
}

function ruleBranch({ when = {}, serve, split, by }: FlagRule, name: string, fallback: string): Branch {
  const conditions = Object.entries(when).map(([attribute, wanted]) => holds(userOf(attribute), wanted));
  const condition: Json = conditions.length === 0 ? true : conditions.length === 1 ? (conditions[0] as Json) : { and: conditions };
  if (split === undefined || by === undefined) return { name, holds: condition, concerns: condition, serves: serve ?? fallback };
  const key = userOf(by);
  return {
    name,
    holds: condition,
    concerns: condition,
    by,
    serves: { if: [isKnown(key), fractional(key, buckets(split, fallback)), null] },
  };
}

function percentBranch({ variant, percent, attribute }: Extract<Override, { action: 'percent' }>): Branch {
  const share = Math.round(percent * (whole / 100));
  const key = userOf(attribute);
  const chosen: Json = {
    '==': [
      fractional(key, [
        ['in', share],
        ['out', whole - share],
      ]),
      'in',
    ],
  };
  return {
    name: 'override',
    holds: { and: [isKnown(key), chosen] },
    // Who cannot be placed in the share is told so, and not given to the rules without a word.
    concerns: { or: [{ '!': [isKnown(key)] }, chosen] },
    serves: variant,
    by: attribute,
  };
}

/** `user` is whom OpenFeature calls the targeting key; programs that know no such thing send an attribute `user`. */
function userOf(attribute: string): Json {
  return isUser(attribute) ? { if: [{ var: 'targetingKey' }, { var: 'targetingKey' }, { var: 'user' }] } : { var: attribute };
}

/** 0 and false are as good as any other value to tell users apart by; no value and an empty text are none. */
function isKnown(key: Json): Json {
  return { '!': [{ in: [key, [null, '']] }] };
}

export function isUser(attribute: string): boolean {
  return attribute === 'user' || attribute === 'targetingKey';
}

/** By flag and user (murmur3 of flagd): the same user has different luck with different flags, and the same luck with one for ever. */
function fractional(key: Json, shares: readonly (readonly [string, number])[]): Json {
  return { fractional: [{ cat: [{ var: '$flagd.flagKey' }, key] }, ...shares] };
}

/**
 * The order of the parts on the line from 0 to 100 %. The rest (the default, or the last by name) lies in the middle, the first variant
 * grows from the bottom and the second from the top, so that a share that grows out of the rest keeps all of its users and moves nobody
 * else. Further variants lie above the first. The order in which a stack writes them does not matter.
 */
export function buckets(split: Readonly<Record<string, number>>, fallback: string): readonly (readonly [string, number])[] {
  const names = Object.keys(split).toSorted();
  const rest = names.includes(fallback) ? fallback : names.at(-1);
  const [first, second, ...others] = names.filter((name) => name !== rest);
  return [first, ...others, rest, second].flatMap((name) => (name === undefined ? [] : [[name, split[name] ?? 0] as const]));
}
