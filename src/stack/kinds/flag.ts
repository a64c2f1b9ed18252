import { z } from 'zod';
import type { Json } from '../../digest/json.ts';
import { blockName } from '../fields/names.ts';
import { text, whole } from '../fields/text.ts';
import { attributeCondition, attributeName } from './flag-condition.ts';
import { defineKind } from './kind-spec.ts';

/** Of one line: so flagd's schema wants it. */
const variantName = text(128).refine((name) => !/\p{C}/u.test(name), {
  error: 'the name of a variant without line breaks and control characters',
});

const rule = z
  .strictObject({
    when: z
      .record(attributeName, attributeCondition)
      .optional()
      .describe('Attributes the user must have: a value, of a list any one, or a condition. Without it the rule holds for everyone.'),
    serve: variantName.optional().describe('Variant to serve.'),
    split: z.record(z.string(), whole(0, 100)).optional().describe('Percentage of users by variant.'),
    by: attributeName
      .optional()
      .describe('Attribute that keeps a user in the same part of a split; user is the targeting key of OpenFeature.'),
  })
  .refine(({ serve, split }) => (serve === undefined) !== (split === undefined), { error: 'an object with either serve or split' })
  .refine(({ split, by }) => split === undefined || by !== undefined, { error: 'an object with by, because it has split' })
  .refine(({ split, by }) => by === undefined || split !== undefined, { error: 'an object without by, because it has no split' });

/** The type a client asks for; undefined for what no client can ask for. */
function typeOf(value: Json): 'boolean' | 'string' | 'number' | 'object' | undefined {
  if (value === null || Array.isArray(value)) return undefined;
  return typeof value as 'boolean' | 'string' | 'number' | 'object';
}

const schema = z
  .strictObject({
    name: blockName('flag'),
    variants: z
      .record(variantName, z.custom<Json>())
      .refine((variants) => Object.keys(variants).length > 0, { error: 'at least one variant' })
      .describe('Values by the name of their variant.'),
    default: variantName.describe('Variant that is served when no rule holds.'),
    rules: z.array(rule).default([]).describe('Tried in order; the first that holds decides.'),
  })
  .superRefine(({ variants, default: fallback, rules }, context) => {
    const names = Object.keys(variants);
    const expected = `one of the variants ${names.slice(0, 20).join(', ')}`;
    const known = (variant: string) => names.includes(variant);
    const types = new Set(Object.values(variants).map(typeOf));
    if (types.size > 1 || types.has(undefined))
      context.addIssue({
        code: 'custom',
        path: ['variants'],
        message: 'values of one type: all true or false, all text, all numbers or all objects',
      });
    if (!known(fallback)) context.addIssue({ code: 'custom', path: ['default'], message: expected });
    for (const [index, { serve, split }] of rules.entries()) {
      if (serve !== undefined && !known(serve)) context.addIssue({ code: 'custom', path: ['rules', index, 'serve'], message: expected });
      if (split === undefined) continue;
      for (const variant of Object.keys(split)) {
        if (!known(variant)) context.addIssue({ code: 'custom', path: ['rules', index, 'split', variant], message: expected });
      }
      if (Object.values(split).reduce((sum, share) => sum + share, 0) !== 100) {
        context.addIssue({ code: 'custom', path: ['rules', index, 'split'], message: 'shares that add up to 100' });
      }
    }
  });

export type FlagFields = z.output<typeof schema>;
export type FlagRule = FlagFields['rules'][number];

export const flag = defineKind({
  kind: 'flag',
  summary: 'A switch that changes behaviour for some users without a release.',
  schema,
  outputs: {},
  example: `flag:
  name: answer-with-citations
  variants: { on: true, off: false }
  default: off
  rules:
    - { when: { plan: [pro, enterprise] }, serve: on }
    - { when: { email: { ends_with: "@acme.example" }, app: { version: ">=2.1.0" } }, serve: on }
    - { split: { on: 10, off: 90 }, by: user }
`,
});
