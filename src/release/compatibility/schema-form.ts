import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';
import { listOf, objectOf } from './document-parts.ts';

export type SchemaType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/** A value is of a schema when it is of all of these. */
export type Schema = readonly Json[];

/** A JSON Schema of OpenAPI 3.0 or 3.1 in one form: references followed, `allOf` merged, `nullable` a type, `const` an enumeration. */
export interface SchemaForm {
  /** Equal for schemas of one reader that are made of the same parts. */
  readonly key: string;
  /** Undefined: every type. `number` includes integers. */
  readonly types?: ReadonlySet<SchemaType>;
  /** By canonical JSON of each value. */
  readonly values?: ReadonlyMap<string, Json>;
  /** By name of the keyword; those of `lowerBounds` and `upperBounds` of this file, `multipleOf`, and `uniqueItems` (1). */
  readonly bounds: ReadonlyMap<string, number>;
  readonly patterns: ReadonlySet<string>;
  readonly formats: ReadonlySet<string>;
  readonly properties: ReadonlyMap<string, Schema>;
  readonly required: ReadonlySet<string>;
  /** What a property that is not named must be: a schema, or false for none. Undefined: anything. */
  readonly otherProperties?: Schema | false;
  /** Of the first items, by their place. */
  readonly prefix: readonly Schema[];
  /** Of the items after those. */
  readonly items?: Schema;
  /** A value must be of one of each (`anyOf`, `oneOf`). */
  readonly choices: readonly (readonly Json[])[];
  /** The same without `choices`. */
  readonly base: Schema;
  readonly discriminator?: JsonObject;
  /** Keywords that are compared as a whole. */
  readonly keywords: ReadonlyMap<string, Schema>;
  /** References that lead to another file or nowhere. */
  readonly elsewhere: ReadonlySet<string>;
  readonly marks: ReadonlySet<'readOnly' | 'writeOnly' | 'deprecated'>;
  readonly standard?: Json;
}

export const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'] as const;
export const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'] as const;

/** What is behind these has to be the same: whether the one follows from the other is beyond this comparison. */
const wholeKeywords = [
  'not',
  'if',
  'then',
  'else',
  'contains',
  'minContains',
  'maxContains',
  'propertyNames',
  'patternProperties',
  'dependentRequired',
  'dependentSchemas',
  'unevaluatedItems',
  'unevaluatedProperties',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
] as const;

const anything: Omit<SchemaForm, 'key' | 'base'> = {
  bounds: new Map(),
  patterns: new Set(),
  formats: new Set(),
  properties: new Map(),
  required: new Set(),
  prefix: [],
  choices: [],
  keywords: new Map(),
  elsewhere: new Set(),
  marks: new Set(),
};

/** What one node says by itself. */
export function ownForm(node: JsonObject): typeof anything {
  const types = typesOf(node);
  const values = valuesOf(node);
  const { pattern, format, items, default: standard } = node as { pattern?: Json; format?: Json; items?: Json; default?: Json };
  const others = node['additionalProperties'];
  return {
    ...anything,
    ...(types && { types }),
    ...(values && { values }),
    bounds: boundsOf(node),
    patterns: new Set(typeof pattern === 'string' && !takesEverything.has(pattern) ? [pattern] : []),
    formats: new Set(typeof format === 'string' ? [format] : []),
    properties: new Map(Object.entries(objectOf(node['properties'])).map(([name, schema]) => [name, [schema]])),
    required: new Set(listOf(node['required']).filter((name) => typeof name === 'string')),
    ...(others === false && { otherProperties: false }),
    ...(isJsonObject(others) && Object.keys(others).length > 0 && { otherProperties: [others] }),
    prefix: listOf(node['prefixItems']).map((schema) => [schema]),
    ...((isJsonObject(items) || items === false) && { items: [items] }),
    choices: [listOf(node['anyOf']), listOf(node['oneOf'])].filter(({ length }) => length > 0),
    ...(isJsonObject(node['discriminator']) && { discriminator: node['discriminator'] }),
    keywords: new Map(wholeKeywords.flatMap((name) => (node[name] === undefined ? [] : [[name, [node[name]]]]))),
    marks: new Set((['readOnly', 'writeOnly', 'deprecated'] as const).filter((mark) => node[mark] === true)),
    ...(standard !== undefined && { standard }),
  };
}

const takesEverything = new Set(['', '.*', '^.*$', '^', '$']);

function typesOf(node: JsonObject): ReadonlySet<SchemaType> | undefined {
  const declared = typeof node['type'] === 'string' ? [node['type']] : listOf(node['type']);
  if (declared.length === 0) return undefined;
  const types = new Set(declared as SchemaType[]);
  if (node['nullable'] === true) types.add('null');
  return types;
}

function valuesOf(node: JsonObject): ReadonlyMap<string, Json> | undefined {
  const values = node['const'] === undefined ? node['enum'] : [node['const']];
  return Array.isArray(values) ? new Map((values as readonly Json[]).map((value) => [canonicalJson(value), value])) : undefined;
}

/** In OpenAPI 3.0 an exclusive bound is a flag beside the bound, in 3.1 a bound of its own. */
function boundsOf(node: JsonObject): ReadonlyMap<string, number> {
  const bounds = new Map<string, number>();
  for (const keyword of [...lowerBounds, ...upperBounds, 'multipleOf']) {
    const value = node[keyword];
    if (typeof value === 'number') bounds.set(keyword, value);
  }
  if (node['uniqueItems'] === true) bounds.set('uniqueItems', 1);
  for (const [inclusive, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    const value = bounds.get(inclusive);
    if (node[exclusive] !== true || value === undefined) continue;
    bounds.delete(inclusive);
    bounds.set(exclusive, value);
  }
  return bounds;
}

/** What values of both forms are of. */
export function intersection(one: typeof anything, other: typeof anything): typeof anything {
  const types = one.types && other.types ? commonTypes(one.types, other.types) : (one.types ?? other.types);
  const values =
    one.values && other.values ? new Map([...one.values].filter(([text]) => other.values?.has(text))) : (one.values ?? other.values);
  const otherProperties =
    one.otherProperties && other.otherProperties
      ? [...one.otherProperties, ...other.otherProperties]
      : one.otherProperties === false || other.otherProperties === false
        ? false
        : (one.otherProperties ?? other.otherProperties);
  const items = one.items && other.items ? [...one.items, ...other.items] : (one.items ?? other.items);
  const discriminator = one.discriminator ?? other.discriminator;
  const standard = one.standard ?? other.standard;
  const length = Math.max(one.prefix.length, other.prefix.length);
  return {
    ...(types && { types }),
    ...(values && { values }),
    bounds: commonBounds(one.bounds, other.bounds),
    patterns: new Set([...one.patterns, ...other.patterns]),
    formats: new Set([...one.formats, ...other.formats]),
    properties: joined(one.properties, other.properties),
    required: new Set([...one.required, ...other.required]),
    ...(otherProperties !== undefined && { otherProperties }),
    prefix: Array.from({ length }, (_, index) => [...(one.prefix[index] ?? []), ...(other.prefix[index] ?? [])]),
    ...(items !== undefined && { items }),
    choices: [...one.choices, ...other.choices],
    ...(discriminator && { discriminator }),
    keywords: joined(one.keywords, other.keywords),
    elsewhere: new Set([...one.elsewhere, ...other.elsewhere]),
    marks: new Set([...one.marks, ...other.marks]),
    ...(standard !== undefined && { standard }),
  };
}

function commonBounds(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const bounds = new Map(one);
  for (const [keyword, value] of other) {
    const present = bounds.get(keyword) ?? value;
    // Of two divisors the greater: right where it is a multiple of the other, as is usual.
    const isUpper = (upperBounds as readonly string[]).includes(keyword);
    bounds.set(keyword, isUpper ? Math.min(present, value) : Math.max(present, value));
  }
  return bounds;
}

function joined(one: ReadonlyMap<string, Schema>, other: ReadonlyMap<string, Schema>): ReadonlyMap<string, Schema> {
  const all = new Map(one);
  for (const [name, schema] of other) all.set(name, [...(all.get(name) ?? []), ...schema]);
  return all;
}

function commonTypes(one: ReadonlySet<SchemaType>, other: ReadonlySet<SchemaType>): ReadonlySet<SchemaType> {
  return new Set([...one].filter((type) => allows(other, type)).concat([...other].filter((type) => allows(one, type))));
}

/** Whether every value of `type` is of one of the types. */
export function allows(types: ReadonlySet<SchemaType> | undefined, type: SchemaType): boolean {
  return types === undefined || types.has(type) || (type === 'integer' && types.has('number'));
}

/** The types of listed values. */
export function typesIn(values: ReadonlyMap<string, Json>): ReadonlySet<SchemaType> {
  return new Set([...values.values()].map(typeOf));
}

export function typeOf(value: Json): SchemaType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isJsonObject(value)) return 'object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as 'boolean' | 'string';
}
