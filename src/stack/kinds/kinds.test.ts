import { describe, expect, it } from 'vitest';
import { loadStackText } from '../load.ts';
import { kinds } from '../stack.ts';
import { alternatives, type FieldSchema, fieldPatterns, fieldSchema } from './field-schema.ts';
import { fieldsOf, kindSpecs } from './index.ts';

function undescribed(schema: FieldSchema, path: string): string[] {
  const found: string[] = [];
  for (const choice of alternatives(schema)) {
    for (const [name, field] of Object.entries(choice.properties ?? {})) {
      if (!field.description) found.push(`${path}.${name}`);
      found.push(...undescribed(field, `${path}.${name}`));
    }
    if (choice.items) found.push(...undescribed(choice.items, `${path}[]`));
  }
  return found;
}

describe.each(kinds)('%s', (kind) => {
  const spec = kindSpecs[kind];

  it('describes every field, refuses unknown ones and says what it is', () => {
    expect(undescribed(fieldSchema(kind), kind)).toEqual([]);
    expect(fieldSchema(kind)).toMatchObject({ additionalProperties: false });
    expect(spec).toMatchObject({ kind, summary: expect.stringMatching(/^[A-Z].*\.$/) });
  });

  it('has an example in which only other blocks are missing', () => {
    const { problems } = loadStackText(spec.example);
    expect(problems.filter(({ code }) => !['unknown_reference', 'unknown_subnet', 'unknown_variable'].includes(code))).toEqual([]);
  });
});

describe('what a kind says of its fields', () => {
  it('names the fields that refer to other blocks, and which of them order', () => {
    const references = fieldPatterns('service').flatMap(({ path, refersTo }) => (refersTo ? [[path.join('.'), refersTo.ordering]] : []));
    expect(references).toEqual([
      ['resource_group_name', true],
      ['runs_on', true],
      ['calls.*', false],
      ['migrations.database', true],
    ]);
  });

  it('names every field that is a path', () => {
    const paths = kinds.flatMap((kind) =>
      fieldPatterns(kind).flatMap(({ path, stackPath }) => (stackPath ? [`${kind}.${path.join('.')}`] : [])),
    );
    expect(paths).toEqual([
      'environment.gateway.tls.certificates.*.certificate',
      'environment.gateway.tls.certificates.*.key',
      'environment.gateway.tls.acme.authority',
      'secret.value.file',
      'service.source',
      'service.prompts',
      'service.policy',
      'service.api',
      'service.migrations',
      'service.migrations.path',
      'service.rollout.experiment.arms.*.prompts',
      'service.rollout.experiment.arms.*.policy',
      'pipeline.stages.*.steps.*.scenarios',
    ]);
  });

  it('reads the fields of a block only as what they are', () => {
    const block = { kind: 'cache', fields: { name: 'a', type: 'Valkey', memory: '64Mi' } } as const;
    expect(fieldsOf(block, 'cache').memory).toBe('64Mi');
    expect(() => fieldsOf(block, 'database')).toThrow(TypeError);
  });
});
