import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';

export type SchemaType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/** A JSON Schema of OpenAPI 3.0 or 3.1 in one form: references followed, `allOf` merged, `nullable` a type, `const` an enumeration. */
export interface SchemaForm {
  /** Undefined: every type. `number` includes integers. */
  readonly types?: ReadonlySet<SchemaType>;
  /** Canonical JSON of each value. */
  readonly values?: ReadonlySet<string>;
  /** By name of the keyword; those of `lowerBounds` and `upperBounds` of this file. */
  readonly bounds: ReadonlyMap<string, number>;
  readonly pattern?: string;
  readonly format?: string;
  readonly properties: ReadonlyMap<string, Json>;
  readonly required: ReadonlySet<string>;
  /** What a property that is not named must be: a schema, or false for none. Undefined: anything. */
  readonly otherProperties?: Json;
  readonly items?: Json;
  /** A value must be one of these too (`anyOf`, `oneOf`). */
  readonly options: readonly Json[];
}

export const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'] as const;
export const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'] as const;

const deepestReference = 32;
const everyType: readonly SchemaType[] = ['null', 'boolean', 'number', 'string', 'array', 'object'];

/** The form of a schema; `true`, `{}` and whatever is no schema allow everything, `false` nothing. */
export function formOf(schema: Json | undefined, document: JsonObject): SchemaForm {
  if (schema === false) return { ...anything, types: new Set() };
  const resolved = resolve(schema, document);
  if (!isJsonObject(resolved)) return anything;
  const parts = listOf(resolved['allOf']).map((part) => formOf(part, document));
  return parts.reduce(intersection, ownForm(resolved));
}

/** Follows local references, also chains of them. Undefined when one leads nowhere, or around in a circle. */
export function resolve(value: Json | undefined, document: JsonObject): Json | undefined {
  let current = value;
  for (let depth = 0; depth < deepestReference; depth += 1) {
    const reference = isJsonObject(current) ? current['$ref'] : undefined;
    if (typeof reference !== 'string') return current;
    current = at(document, reference);
  }
  return undefined;
}

/** `#/components/schemas/Answer`. References to other documents are not followed. */
function at(document: JsonObject, reference: string): Json | undefined {
  if (!reference.startsWith('#/')) return undefined;
  let current: Json | undefined = document;
  for (const segment of reference.slice(2).split('/')) {
    const key = decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isJsonObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

const anything: SchemaForm = { bounds: new Map(), properties: new Map(), required: new Set(), options: [] };

function ownForm(schema: JsonObject): SchemaForm {
  const types = typesOf(schema);
  const values = valuesOf(schema);
  const { pattern, format, items } = schema as { pattern?: Json; format?: Json; items?: Json };
  const otherProperties = schema['additionalProperties'];
  return {
    ...(types && { types }),
    ...(values && { values }),
    bounds: boundsOf(schema),
    ...(typeof pattern === 'string' && { pattern }),
    ...(typeof format === 'string' && { format }),
    properties: new Map(isJsonObject(schema['properties']) ? Object.entries(schema['properties']) : []),
    required: new Set(listOf(schema['required']).filter((name) => typeof name === 'string')),
    ...(otherProperties !== undefined && otherProperties !== true && { otherProperties }),
    ...(items !== undefined && { items }),
    options: [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])],
  };
}

function typesOf(schema: JsonObject): ReadonlySet<SchemaType> | undefined {
  const declared = typeof schema['type'] === 'string' ? [schema['type']] : listOf(schema['type']);
  if (declared.length === 0) return undefined;
  const types = new Set(declared as SchemaType[]);
  // OpenAPI 3.0.
  if (schema['nullable'] === true) types.add('null');
  return types;
}

function valuesOf(schema: JsonObject): ReadonlySet<string> | undefined {
  if (schema['const'] !== undefined) return new Set([canonicalJson(schema['const'])]);
  return Array.isArray(schema['enum']) ? new Set(listOf(schema['enum']).map(canonicalJson)) : undefined;
}

/** In OpenAPI 3.0 an exclusive bound is a flag beside the bound, in 3.1 a bound of its own. */
function boundsOf(schema: JsonObject): ReadonlyMap<string, number> {
  const bounds = new Map<string, number>();
  for (const keyword of [...lowerBounds, ...upperBounds]) {
    const value = schema[keyword];
    if (typeof value === 'number') bounds.set(keyword, value);
  }
  for (const [inclusive, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    const value = bounds.get(inclusive);
    if (schema[exclusive] !== true || value === undefined) continue;
    bounds.delete(inclusive);
    bounds.set(exclusive, value);
  }
  return bounds;
}

function intersection(one: SchemaForm, other: SchemaForm): SchemaForm {
  const types = one.types && other.types ? commonTypes(one.types, other.types) : (one.types ?? other.types);
  const values =
    one.values && other.values ? new Set([...one.values].filter((value) => other.values?.has(value))) : (one.values ?? other.values);
  const bounds = new Map(one.bounds);
  for (const [keyword, value] of other.bounds) {
    const isLower = (lowerBounds as readonly string[]).includes(keyword);
    const present = bounds.get(keyword) ?? value;
    bounds.set(keyword, isLower ? Math.max(present, value) : Math.min(present, value));
  }
  const properties = new Map(one.properties);
  for (const [name, schema] of other.properties) {
    const present = properties.get(name);
    properties.set(name, present === undefined ? schema : { allOf: [present, schema] });
  }
  const pattern = one.pattern ?? other.pattern;
  const format = one.format ?? other.format;
  const otherProperties = one.otherProperties ?? other.otherProperties;
  const items = one.items !== undefined && other.items !== undefined ? { allOf: [one.items, other.items] } : (one.items ?? other.items);
  return {
    ...(types && { types }),
    ...(values && { values }),
    bounds,
    ...(pattern !== undefined && { pattern }),
    ...(format !== undefined && { format }),
    properties,
    required: new Set([...one.required, ...other.required]),
    ...(otherProperties !== undefined && { otherProperties }),
    ...(items !== undefined && { items }),
    options: one.options.length === 0 ? other.options : one.options,
  };
}

function commonTypes(one: ReadonlySet<SchemaType>, other: ReadonlySet<SchemaType>): ReadonlySet<SchemaType> {
  return new Set([...one].filter((type) => allows(other, type)).concat([...other].filter((type) => allows(one, type))));
}

/** Whether every value of `type` is of one of the types. */
export function allows(types: ReadonlySet<SchemaType> | undefined, type: SchemaType): boolean {
  return types === undefined || types.has(type) || (type === 'integer' && types.has('number'));
}

/** The types a form allows, written out. */
export function typesAllowed({ types }: SchemaForm): readonly SchemaType[] {
  return types === undefined ? everyType : [...types];
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
