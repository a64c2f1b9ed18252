import type { JsonObject } from '../digest/json.ts';
import { type FieldSchema, fieldSchema } from './kinds/field-schema.ts';
import { kindSpecs } from './kinds/index.ts';
import { type Kind, kinds } from './stack.ts';

/** What an editor is told where a value may be an interpolation instead. */
const interpolation = { $ref: '#/definitions/interpolation' };

const address = { type: 'string', pattern: '^[a-z_]+/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' };
const move = {
  type: 'object',
  additionalProperties: false,
  required: ['from', 'to'],
  properties: {
    from: { ...address, description: 'Address (kind/name) it was declared under; no longer declared.' },
    to: { ...address, description: 'Address (kind/name) it is declared under now.' },
  },
};
const movedSchema = {
  description: 'What was renamed: the resource stays what it is, with its data, under its new name.',
  anyOf: [move, { type: 'array', items: move }],
};

/**
 * JSON Schema (draft 7) of a stack file, for editors: yaml-language-server completes and checks by it. It accepts every valid stack. What
 * depends on more than one field, on other blocks or on the disk is checked only by Sluice itself.
 */
export function stackJsonSchema(): JsonObject {
  const definitions = kinds.map((kind) => [kind, blockSchema(kind)] as const);
  const properties = kinds.map((kind) => {
    const block = { $ref: `#/definitions/${kind}` };
    return [kind, { description: kindSpecs[kind].summary, anyOf: [block, { type: 'array', items: block }] }] as const;
  });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice stack',
    type: 'object',
    additionalProperties: false,
    properties: { ...Object.fromEntries(properties), moved: movedSchema },
    definitions: {
      interpolation: { type: 'string', pattern: '\\$\\{', description: 'An interpolation such as ${var.name} or ${kind.name.output}.' },
      ...Object.fromEntries(definitions),
    },
  };
}

function blockSchema(kind: Kind): JsonObject {
  const schema = fieldSchema(kind);
  // Environments and variables are what interpolations are made from, and a name is the same in every environment.
  if (kind === 'environment' || kind === 'variable') return plain(schema);
  const properties = Object.entries(schema.properties ?? {}).map(([field, value]) => [
    field,
    field === 'name' ? plain(value) : open(value),
  ]);
  return { ...plain(schema), properties: Object.fromEntries(properties) };
}

/** A schema without what only Sluice understands. */
function plain(schema: FieldSchema): JsonObject {
  return rewrite(schema, plain);
}

/** The same, with interpolations allowed wherever a scalar or a whole list stands. */
function open(schema: FieldSchema): JsonObject {
  const rewritten = rewrite(schema, open);
  const { type } = schema;
  const free = type === 'string' && ['pattern', 'enum', 'const'].every((keyword) => rewritten[keyword] === undefined);
  if (type === undefined || type === 'object' || free) return rewritten;
  const { description, default: fallback, ...constraint } = rewritten;
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    anyOf: [constraint, interpolation],
  };
}

function rewrite(schema: FieldSchema, child: (schema: FieldSchema) => JsonObject): JsonObject {
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword.startsWith('x-') || keyword === '$schema') continue;
    if (keyword === 'properties') {
      result[keyword] = Object.fromEntries(
        Object.entries(value as Record<string, FieldSchema>).map(([name, field]) => [name, child(field)]),
      );
    } else if (keyword === 'anyOf' || keyword === 'oneOf') result[keyword] = (value as FieldSchema[]).map(child);
    else if ((keyword === 'items' || keyword === 'additionalProperties') && typeof value === 'object')
      result[keyword] = child(value as FieldSchema);
    else result[keyword] = value;
  }
  return result as JsonObject;
}
