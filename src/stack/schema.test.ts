import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kindSpecs } from './kinds/index.ts';
import { stackJsonSchema } from './schema.ts';
import { kinds } from './stack.ts';

const accepts = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true }).compile(stackJsonSchema());
const read = (name: string): unknown => parse(readFileSync(join(import.meta.dirname, 'testdata', name), 'utf8'));

const refusals = (stack: unknown) => (accepts(stack) ? [] : accepts.errors);

describe('stackJsonSchema', () => {
  it.each(['customer-support.yaml', 'iac_config.yaml', 'iac_config-1-group.yaml'])('accepts %s', (name) => {
    expect(refusals(read(name))).toEqual([]);
  });

  it.each(kinds)('accepts the example of %s', (kind) => {
    expect(refusals(parse(kindSpecs[kind].example))).toEqual([]);
  });

  it.each([
    ['a kind that does not exist', 'servce: { name: a }'],
    ['a field that does not exist', 'resource_group: { name: a, locaton: x }'],
    ['a missing field', 'database: { name: a, type: PostgreSQL }'],
    ['a wrong type', 'network: { name: a, address_space: 5 }'],
    ['a wrong value', 'database: { name: a, type: Oracle, version: "15" }'],
    ['an interpolation in a name', 'resource_group: { name: "${var.x}" }'],
    ['a secret without a source', 'secret: { name: a, value: {} }'],
    ['a service without code', 'service: { name: a, version: 1.0.0 }'],
    ['a source that nothing starts', 'service: { name: a, version: 1.0.0, source: a }'],
    ['a command without code', 'service: { name: a, version: 1.0.0, command: [a] }'],
    ['a service of a source and an image', 'service: { name: a, version: 1.0.0, source: a, command: [a], image: "a:1" }'],
    ['a step that is none', 'pipeline: { name: a, stages: [{ name: b, steps: [{ shell: x }] }] }'],
  ])('refuses %s', (_, text) => {
    expect(accepts(parse(text))).toBe(false);
  });

  it.each(['source: a, command: [b]', 'image: "a:1"', 'image: "a:1", command: [b]', 'image: "${var.x}"'])(
    'accepts a service of %s',
    (code) => {
      expect(refusals(parse(`service: { name: a, version: 1.0.0, ${code} }`))).toEqual([]);
    },
  );

  it('accepts an interpolation where a number, a choice, a reference or a list stands', () => {
    const text =
      'service: { name: a, source: "${var.x}", command: [a], version: "${var.x}", replicas: "${var.x}", runs_on: "${var.x}", calls: "${var.x}", rollout: { strategy: "${var.x}" } }';
    expect(refusals(parse(text))).toEqual([]);
  });

  it('tells an editor what everything is', () => {
    const { properties, definitions } = stackJsonSchema() as Record<
      string,
      Record<string, { description?: string; properties?: Record<string, unknown> }>
    >;
    expect(properties?.['service']?.description).toBe(kindSpecs.service.summary);
    expect(definitions?.['service']?.properties?.['replicas']).toMatchObject({
      description: expect.stringContaining('instances'),
      default: 1,
    });
    expect(JSON.stringify(definitions)).not.toContain('"x-');
  });
});
