import { type Json, type JsonObject } from '../../digest/json.ts';
import { allows, formOf, lowerBounds, resolve, type SchemaForm, typesAllowed, upperBounds } from './schema-form.ts';

/** One way in which a value of the one schema need not be a value of the other. */
export interface Difference {
  /** Where in the value: `items[].quantity`; empty for the whole. */
  readonly at: string;
  readonly kind: 'type' | 'values' | 'bound' | 'pattern' | 'format' | 'required' | 'absent' | 'closed' | 'options';
  /** What is in the way: the types, values, property or bound. */
  readonly detail: string;
}

export interface Side {
  readonly schema: Json | undefined;
  readonly document: JsonObject;
}

const mostDifferences = 200;

/**
 * Every way found in which a value allowed by `given` is not allowed by `taken`; none when all of `given` fits into `taken`. Conservative
 * where JSON Schema is beyond deciding (patterns, formats, overlapping options): what is not the same counts as different. With
 * `missesAbsent`, as for the reader of an answer, a property that `taken` names and `given` does not is a difference although it need not
 * have been there.
 */
export function differences(given: Side, taken: Side, { missesAbsent }: { readonly missesAbsent: boolean }): readonly Difference[] {
  const walk: Walk = { found: [], above: [], missesAbsent };
  compare(given, taken, '', walk);
  return walk.found;
}

interface Walk {
  readonly found: Difference[];
  readonly above: readonly Pair[];
  readonly missesAbsent: boolean;
}

type Pair = readonly [Json | undefined, Json | undefined];

function compare(given: Side, taken: Side, at: string, walk: Walk): void {
  const { found, above } = walk;
  const pair: Pair = [resolve(given.schema, given.document), resolve(taken.schema, taken.document)];
  // A schema that contains itself is the same on the way down.
  if (found.length >= mostDifferences || above.some(([one, other]) => one === pair[0] && other === pair[1])) return;
  const [one, other] = [formOf(given.schema, given.document), formOf(taken.schema, taken.document)];
  const below: Walk = { ...walk, above: [...above, pair] };
  compareValues(one, other, at, found);
  compareBounds(one, other, at, found);
  const isObject = one.types === undefined || one.types.has('object');
  if (isObject && allows(other.types, 'object')) compareProperties([one, given.document], [other, taken.document], at, below);
  const isArray = one.types === undefined || one.types.has('array');
  if (isArray && allows(other.types, 'array') && other.items !== undefined) {
    compare({ schema: one.items, document: given.document }, { schema: other.items, document: taken.document }, `${at}[]`, below);
  }
  compareOptions([one, given], [other, taken], at, below);
}

function compareValues(one: SchemaForm, other: SchemaForm, at: string, found: Difference[]): void {
  if (one.values) {
    const extra = [...one.values].filter((value) => other.values && !other.values.has(value));
    if (extra.length > 0) found.push({ at, kind: 'values', detail: extra.join(', ') });
    if (other.values) return;
  } else if (other.values) {
    found.push({ at, kind: 'values', detail: `other than ${[...other.values].join(', ')}` });
  }
  const extra = typesAllowed(one).filter((type) => !allows(other.types, type));
  if (extra.length > 0) found.push({ at, kind: 'type', detail: extra.join(', ') });
  if (other.pattern !== undefined && other.pattern !== one.pattern) found.push({ at, kind: 'pattern', detail: other.pattern });
  if (other.format !== undefined && other.format !== one.format) found.push({ at, kind: 'format', detail: other.format });
}

function compareBounds(one: SchemaForm, other: SchemaForm, at: string, found: Difference[]): void {
  if (one.values) return;
  const exceeds = (keyword: string, isBeyond: (given: number, taken: number) => boolean): void => {
    const [given, taken] = [one.bounds.get(keyword), other.bounds.get(keyword)];
    if (taken === undefined || (given !== undefined && !isBeyond(given, taken))) return;
    found.push({ at, kind: 'bound', detail: `${keyword} ${taken}` });
  };
  for (const keyword of lowerBounds) exceeds(keyword, (given, taken) => given < taken);
  for (const keyword of upperBounds) exceeds(keyword, (given, taken) => given > taken);
}

type Located = readonly [SchemaForm, JsonObject];

function compareProperties([one, given]: Located, [other, taken]: Located, at: string, walk: Walk): void {
  const { found, missesAbsent } = walk;
  for (const name of other.required) {
    if (!one.required.has(name)) found.push({ at: under(at, name), kind: 'required', detail: name });
  }
  for (const name of other.properties.keys()) {
    if (missesAbsent && !one.properties.has(name) && !other.required.has(name))
      found.push({ at: under(at, name), kind: 'absent', detail: name });
  }
  for (const [name, schema] of one.properties) {
    const counterpart = other.properties.get(name) ?? other.otherProperties;
    if (counterpart === false) found.push({ at: under(at, name), kind: 'closed', detail: name });
    else if (counterpart !== undefined) {
      compare({ schema, document: given }, { schema: counterpart, document: taken }, under(at, name), walk);
    }
  }
  if (other.otherProperties === false && one.otherProperties !== false && one.properties.size === 0 && other.properties.size > 0) {
    found.push({ at, kind: 'closed', detail: 'properties that are not named' });
  }
}

/** Every option of the one must fit into some option of the other. */
function compareOptions(
  [one, given]: readonly [SchemaForm, Side],
  [other, taken]: readonly [SchemaForm, Side],
  at: string,
  walk: Walk,
): void {
  if (other.options.length === 0) return;
  const offered = one.options.length > 0 ? one.options : [given.schema];
  const homeless = offered.filter(
    (option) =>
      !other.options.some((place) => {
        const apart: Walk = { ...walk, found: [] };
        compare({ schema: option, document: given.document }, { schema: place, document: taken.document }, at, apart);
        return apart.found.length === 0;
      }),
  );
  if (homeless.length > 0) walk.found.push({ at, kind: 'options', detail: homeless.map((option) => nameOf(option)).join(', ') });
}

function nameOf(schema: Json | undefined): string {
  const text = JSON.stringify(schema) ?? 'anything';
  const reference = /"\$ref":"#\/(?:[^"/]+\/)*([^"/]+)"/.exec(text)?.[1];
  return reference ?? (text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

function under(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}
