import type { Json } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import type { SchemaComparison } from './schema-difference.ts';
import type { Difference } from './schema-values.ts';

type Words = Readonly<Record<Difference['kind'], ((difference: Difference) => string) | undefined>>;

/** What a request of an older client may hold and the newer service does not take. */
const refusals: Words = {
  type: ({ detail }) => `the type is narrowed: ${detail} is no longer taken`,
  values: ({ detail }) => `values are no longer taken: ${detail}`,
  bound: ({ detail }) => `the bounds are narrowed: ${detail}`,
  pattern: ({ detail }) => `a pattern is required: ${detail}`,
  format: ({ detail }) => `a format is required: ${detail}`,
  required: ({ detail }) => (detail === 'new' ? 'a new required field' : 'a field is now required'),
  named: () => 'a field is no longer looked at',
  closed: ({ detail }) => `a field is no longer taken: ${detail}`,
  options: ({ detail }) => `an alternative is no longer taken: ${detail}`,
  whole: ({ detail }) => `what is not compared further is different: ${detail}`,
  discriminator: ({ detail }) => `what tells the alternatives apart is different: ${detail}`,
  elsewhere: ({ detail }) => `what was taken cannot be compared with what is behind ${detail}`,
  default: undefined,
  cut: () => 'too large or too deep to be compared whole',
};

/** What an answer of the newer service may hold, or lack, that an older client does not expect. */
const surprises: Words = {
  ...refusals,
  type: ({ detail }) => `the type is widened: it may be ${detail}`,
  values: ({ detail }) => `values that were never sent: ${detail}`,
  bound: ({ detail }) => `the bounds are widened: ${detail} no longer holds`,
  pattern: ({ detail }) => `the pattern is no longer promised: ${detail}`,
  format: ({ detail }) => `the format is no longer promised: ${detail}`,
  required: () => 'a field that was always sent is removed or optional',
  named: () => 'a field is removed',
  closed: ({ detail }) => `a field that was never sent: ${detail}`,
  options: ({ detail }) => `an alternative that was never sent: ${detail}`,
  elsewhere: ({ detail }) => `what is sent cannot be compared with what was promised: ${detail}`,
};

const unsaid: Words = {
  ...refusals,
  pattern: undefined,
  format: undefined,
  whole: undefined,
  discriminator: undefined,
  elsewhere: undefined,
  cut: undefined,
};

/** What a newer service takes that the older one did not. */
const permissions: Words = {
  ...unsaid,
  type: ({ detail }) => `the type is widened: ${detail} is taken too`,
  values: ({ detail }) => `more values are taken: ${detail}`,
  bound: ({ detail }) => `the bounds are widened: ${detail} is no longer asked for`,
  required: () => 'a field is no longer required',
  named: () => 'a new optional field',
  closed: ({ at }) => (at === '' ? 'properties that are not named are taken' : 'a new optional field'),
  options: ({ detail }) => `a new alternative: ${detail}`,
};

/** What a newer service promises that the older one did not. */
const promises: Words = {
  ...unsaid,
  type: ({ detail }) => `the type is narrowed: ${detail} is no longer sent`,
  values: ({ detail }) => `values are no longer sent: ${detail}`,
  bound: ({ detail }) => `the bounds are narrowed: ${detail} is promised`,
  required: ({ detail }) => (detail === 'new' ? 'a new field' : 'a field is now always sent'),
  named: () => 'a new field',
  closed: () => 'fields that are not named are no longer sent',
  options: ({ detail }) => `an alternative is no longer sent: ${detail}`,
};

/** Schemas of the older description beside those of the newer one, and the other way round. */
export interface Comparisons {
  readonly forth: SchemaComparison;
  readonly back: SchemaComparison;
}

type Ends = readonly [before: Json | undefined, after: Json | undefined];

/** What is different in something that clients send. */
export function requestChanges(path: string, [before, after]: Ends, { forth, back }: Comparisons, isText = false): readonly ApiChange[] {
  const way = { direction: 'request', isText } as const;
  const [old, now] = [[before ?? true], [after ?? true]];
  const found = forth(old, now, way);
  const defaults = found.filter(({ kind }) => kind === 'default');
  return [
    ...inWords(path, found, refusals, true),
    ...defaults.map(({ at, detail }) => ({ path: located(path, at), breaking: false, what: `the default is another one: ${detail}` })),
    ...besides(path, found, inWords(path, back(now, old, way), permissions, false)),
  ];
}

/** What is different in something that clients are sent. */
export function responseChanges(path: string, [before, after]: Ends, { forth, back }: Comparisons, isText = false): readonly ApiChange[] {
  const way = { direction: 'response', isText } as const;
  const [old, now] = [[before ?? true], [after ?? true]];
  const found = back(now, old, way);
  return [...inWords(path, found, surprises, true), ...besides(path, found, inWords(path, forth(old, now, way), promises, false))];
}

function inWords(path: string, found: readonly Difference[], words: Words, breaking: boolean): readonly ApiChange[] {
  return found.flatMap((difference) => {
    const what = words[difference.kind]?.(difference);
    return what === undefined ? [] : [{ path: located(path, difference.at), breaking, what }];
  });
}

/** A place that is told to break is not told to have grown as well. */
function besides(path: string, told: readonly Difference[], changes: readonly ApiChange[]): readonly ApiChange[] {
  const places = new Set(told.filter(({ kind }) => kind !== 'default').map(({ at }) => located(path, at)));
  return changes.filter((change) => !places.has(change.path));
}

function located(path: string, at: string): string {
  return at === '' ? path : `${path} ${at}`;
}
