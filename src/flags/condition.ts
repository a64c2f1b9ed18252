import type { Json } from '../digest/json.ts';
import { type FlagCondition, versionComparisons } from '../stack/kinds/flag-condition.ts';
import type { FlagRule } from '../stack/kinds/flag.ts';

type Wanted = NonNullable<FlagRule['when']>[string];

const orders = { above: '>', at_least: '>=', below: '<', at_most: '<=' } as const;

/** What `when` says of one attribute, in JSON logic. `attribute` is the expression that reads it, null where there is none. */
export function holds(attribute: Json, wanted: Wanted): Json {
  if (typeof wanted !== 'object' || Array.isArray(wanted)) return oneOf(attribute, wanted);
  const all = parts(attribute, wanted);
  return all.length === 1 ? (all[0] as Json) : { and: all };
}

function parts(attribute: Json, { not, starts_with, ends_with, version, ...numbers }: FlagCondition): Json[] {
  return [
    ...(not === undefined ? [] : [{ '!': [oneOf(attribute, not)] }]),
    ...(starts_with === undefined ? [] : [any(listOf(starts_with).map((text) => ({ starts_with: [attribute, text] })))]),
    ...(ends_with === undefined ? [] : [any(listOf(ends_with).map((text) => ({ ends_with: [attribute, text] })))]),
    ...Object.entries(orders).flatMap(([name, operator]) => {
      const limit = numbers[name as keyof typeof orders];
      return limit === undefined ? [] : [{ and: [isNumber(attribute), { [operator]: [attribute, limit] }] }];
    }),
    ...(version === undefined ? [] : (versionComparisons(version) ?? []).map(([operator, of]) => ({ sem_ver: [attribute, operator, of] }))),
  ];
}

/** JSON logic takes no attribute for 0 and "5" for 5; an order is one of numbers. */
function isNumber(attribute: Json): Json {
  return { '===': [{ '+': [attribute] }, attribute] };
}

function oneOf(attribute: Json, values: Json | readonly Json[]): Json {
  return { in: [attribute, listOf(values) as Json[]] };
}

function any(conditions: readonly Json[]): Json {
  return conditions.length === 1 ? (conditions[0] as Json) : { or: [...conditions] };
}

function listOf<Value>(given: Value | readonly Value[]): readonly Value[] {
  return Array.isArray(given) ? given : [given as Value];
}
