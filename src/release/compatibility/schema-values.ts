import type { Json } from '../../digest/json.ts';
import { allows, type SchemaForm, type SchemaType, typeOf, typesIn, upperBounds } from './schema-form.ts';

/** One way in which a value of the one schema need not be a value of the other. */
export interface Difference {
  /** Where in the value: `items[].quantity`; empty for the whole. */
  readonly at: string;
  /**
   * `named`: a property that the one names and the other passes over. `whole`: a keyword that is compared as a whole. `default`: what is
   * taken for an absent value; no value is refused for it. `cut`: it could not all be compared.
   */
  readonly kind:
    | 'type'
    | 'values'
    | 'bound'
    | 'pattern'
    | 'format'
    | 'required'
    | 'named'
    | 'closed'
    | 'options'
    | 'whole'
    | 'discriminator'
    | 'elsewhere'
    | 'default'
    | 'cut';
  /** What is in the way: the types, values, property or bound. */
  readonly detail: string;
}

const everyType: readonly SchemaType[] = ['null', 'boolean', 'number', 'string', 'array', 'object'];
/** Every value of the first is one of the second. */
const widerFormats: Readonly<Record<string, string>> = { int32: 'int64', float: 'double' };

/**
 * What values of `given` are not taken for what they are themselves, whatever they hold. As text (`isText`), a number is as good as any
 * other word. Conservative where JSON Schema is beyond deciding (patterns, formats): what is not the same counts as different.
 */
export function compareValues(given: SchemaForm, taken: SchemaForm, isText: boolean): readonly Difference[] {
  const found = (kind: Difference['kind'], detail: string): Difference[] => (detail === '' ? [] : [{ at: '', kind, detail }]);
  const values = valuesOf(given);
  if (values && taken.values) {
    const extra = [...values.keys()].filter((text) => !taken.values?.has(text));
    if (extra.length > 0) return found('values', extra.join(', '));
  }
  const unlisted = taken.values && !values ? `other than ${[...taken.values.keys()].join(', ')}` : '';
  const types = typesOf(given, values);
  const refused = types.filter((type) => !allows(taken.types, type) && !(isText && isWord(type) && allows(taken.types, 'string')));
  const outside = values ? brokenByValues(values, taken) : brokenBounds(given, taken, types);
  return [
    ...found('values', unlisted),
    ...found('type', refused.join(', ')),
    ...outside.map((detail): Difference => ({ at: '', kind: 'bound', detail })),
    ...(types.includes('string') ? [...taken.patterns].filter((pattern) => !given.patterns.has(pattern)) : []).flatMap((pattern) =>
      found('pattern', pattern),
    ),
    ...[...taken.formats].filter((format) => !isFormat(given, format)).flatMap((format) => found('format', format)),
  ];
}

/** All values that are listed and meant, true and false included; undefined where they are not. */
function valuesOf({ values, types, bounds }: SchemaForm): ReadonlyMap<string, Json> | undefined {
  if (values) {
    const form = { types, bounds };
    return new Map(
      [...values].filter(([, value]) => allows(types, typeOf(value)) && brokenByValues(new Map([['', value]]), form).length === 0),
    );
  }
  const isListed = types !== undefined && types.size > 0 && [...types].every((type) => type === 'boolean' || type === 'null');
  if (!isListed || !types.has('boolean')) return undefined;
  return new Map<string, Json>([['true', true], ['false', false], ...(types.has('null') ? [['null', null] as const] : [])]);
}

function typesOf({ types }: SchemaForm, values: ReadonlyMap<string, Json> | undefined): readonly SchemaType[] {
  if (values) return [...typesIn(values)];
  return types === undefined ? everyType : [...types];
}

function isWord(type: SchemaType): boolean {
  return type === 'integer' || type === 'number' || type === 'boolean';
}

function isFormat({ formats }: SchemaForm, format: string): boolean {
  return formats.has(format) || [...formats].some((own) => widerFormats[own] === format);
}

/** Bounds of the other that a value breaks. */
function brokenByValues(values: ReadonlyMap<string, Json>, { bounds }: Pick<SchemaForm, 'bounds'>): readonly string[] {
  const broken = new Set<string>();
  for (const value of values.values()) {
    for (const [keyword, bound] of bounds) if (isBroken(value, keyword, bound)) broken.add(inWords(keyword, bound));
  }
  return [...broken];
}

function isBroken(value: Json, keyword: string, bound: number): boolean {
  if (typeof value === 'number') {
    if (keyword === 'minimum') return value < bound;
    if (keyword === 'exclusiveMinimum') return value <= bound;
    if (keyword === 'maximum') return value > bound;
    if (keyword === 'exclusiveMaximum') return value >= bound;
    return keyword === 'multipleOf' && !isMultiple(value, bound);
  }
  if (typeof value !== 'string') return false;
  const length = Array.from(value).length;
  return (keyword === 'minLength' && length < bound) || (keyword === 'maxLength' && length > bound);
}

/** Bounds of the other that values within the own bounds may break; of such types only that there are. */
function brokenBounds(given: SchemaForm, taken: SchemaForm, types: readonly SchemaType[]): readonly string[] {
  const broken: string[] = [];
  const isNumber = types.includes('number') || types.includes('integer');
  if (isNumber) broken.push(...brokenEnds(given, taken, !types.includes('number')));
  for (const [keyword, bound] of taken.bounds) {
    const own = given.bounds.get(keyword);
    if (keyword === 'multipleOf') {
      const isWhole = !types.includes('number') && Number.isInteger(1 / bound);
      if (isNumber && !isWhole && (own === undefined || !isMultiple(own, bound))) broken.push(inWords(keyword, bound));
      continue;
    }
    const type = typeOfBound(keyword);
    if (type === undefined || !types.includes(type)) continue;
    const isUpper = (upperBounds as readonly string[]).includes(keyword);
    // Nothing is shorter than nothing.
    if (isUpper ? own === undefined || own > bound : (own ?? 0) < bound) broken.push(inWords(keyword, bound));
  }
  return broken;
}

function typeOfBound(keyword: string): SchemaType | undefined {
  if (keyword.endsWith('Length')) return 'string';
  if (keyword.endsWith('Items')) return 'array';
  return keyword.endsWith('Properties') ? 'object' : undefined;
}

/** Least and greatest number, whichever way they are written; among whole numbers `> 0` is `>= 1`. */
function brokenEnds(given: SchemaForm, taken: SchemaForm, isWhole: boolean): readonly string[] {
  return (['minimum', 'maximum'] as const).flatMap((side) => {
    const wanted = endOf(taken, side, isWhole);
    const own = endOf(given, side, isWhole);
    if (wanted === undefined) return [];
    const sign = side === 'minimum' ? 1 : -1;
    const isInside = own !== undefined && (sign * own.at > sign * wanted.at || (own.at === wanted.at && (own.isOpen || !wanted.isOpen)));
    return isInside ? [] : [inWords(wanted.keyword, wanted.value)];
  });
}

function endOf({ bounds }: SchemaForm, side: 'minimum' | 'maximum', isWhole: boolean) {
  const sign = side === 'minimum' ? 1 : -1;
  const keywords = [side, side === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum'] as const;
  const ends = keywords.flatMap((keyword, index) => {
    const value = bounds.get(keyword);
    if (value === undefined) return [];
    const isOpen = index === 1;
    if (!isWhole) return [{ keyword, value, at: value, isOpen }];
    const rounded = sign * Math.ceil(sign * value);
    return [{ keyword, value, at: isOpen && rounded === value ? value + sign : rounded, isOpen: false }];
  });
  return ends.toSorted((one, other) => sign * (other.at - one.at) || Number(other.isOpen) - Number(one.isOpen))[0];
}

function isMultiple(value: number, divisor: number): boolean {
  const quotient = value / divisor;
  return divisor !== 0 && Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

function inWords(keyword: string, bound: number): string {
  return keyword === 'uniqueItems' ? keyword : `${keyword} ${bound}`;
}
