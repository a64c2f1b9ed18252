import { z } from 'zod';
import type { Kind } from '../stack.ts';
import type { PathKind } from '../fields/paths.ts';
import { kindSpecs } from './index.ts';

/** The JSON Schema of a field, as far as the language uses it. Derived from zod, so that there is one source for what is asked of it. */
export interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: FieldSchema | boolean;
  readonly propertyNames?: FieldSchema;
  readonly items?: FieldSchema;
  readonly anyOf?: readonly FieldSchema[];
  readonly oneOf?: readonly FieldSchema[];
  readonly 'x-type'?: string;
  readonly 'x-refers-to'?: readonly Kind[];
  readonly 'x-ordering'?: boolean;
  readonly 'x-subnet'?: boolean;
  readonly 'x-path'?: PathKind;
}

const schemas = new Map<Kind, FieldSchema>();

/** The JSON Schema (draft 7) of what may be written for a block of `kind`. */
export function fieldSchema(kind: Kind): FieldSchema {
  let schema = schemas.get(kind);
  if (!schema) {
    schema = z.toJSONSchema(kindSpecs[kind].schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' }) as FieldSchema;
    schemas.set(kind, schema);
  }
  return schema;
}

/** The schemas that hold at `path` of a block: several where there are alternatives, none where nothing is known. */
export function schemasAt(kind: Kind, path: readonly PropertyKey[]): readonly FieldSchema[] {
  let here = alternatives(fieldSchema(kind));
  for (const step of path) here = here.flatMap((schema) => stepInto(schema, step)).flatMap(alternatives);
  return here;
}

/** Names of the fields that may stand in the map at `path`. */
export function fieldNamesAt(kind: Kind, path: readonly PropertyKey[]): readonly string[] {
  return [...new Set(schemasAt(kind, path).flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

/** The schema itself and what it offers to choose from, however deep. */
export function alternatives(schema: FieldSchema): readonly FieldSchema[] {
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(alternatives)];
}

function stepInto(schema: FieldSchema, step: PropertyKey): FieldSchema[] {
  if (typeof step === 'number') return schema.items ? [schema.items] : [];
  const name = String(step);
  const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
  if (property) return [property];
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
}

/** Where in a kind's fields something special may stand: a name of another block, or a path. `*` is any key or index. */
export interface FieldPattern {
  readonly path: readonly string[];
  readonly refersTo?: { readonly kinds: readonly Kind[]; readonly ordering: boolean };
  readonly subnet?: true;
  readonly stackPath?: PathKind;
}

const patterns = new Map<Kind, readonly FieldPattern[]>();

export function fieldPatterns(kind: Kind): readonly FieldPattern[] {
  let found = patterns.get(kind);
  if (!found) {
    found = collectPatterns(fieldSchema(kind), []);
    patterns.set(kind, found);
  }
  return found;
}

function collectPatterns(schema: FieldSchema, path: readonly string[]): FieldPattern[] {
  const found: FieldPattern[] = [];
  for (const choice of alternatives(schema)) {
    const { 'x-refers-to': kinds, 'x-ordering': ordering = true, 'x-path': stackPath } = choice;
    if (kinds) found.push({ path, refersTo: { kinds, ordering } });
    if (choice['x-subnet']) found.push({ path, subnet: true });
    if (stackPath) found.push({ path, stackPath });
    for (const [name, property] of Object.entries(choice.properties ?? {})) found.push(...collectPatterns(property, [...path, name]));
    for (const inner of [choice.items, choice.additionalProperties]) {
      if (typeof inner === 'object') found.push(...collectPatterns(inner, [...path, '*']));
    }
  }
  return found;
}
