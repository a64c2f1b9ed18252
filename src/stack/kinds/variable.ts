import { z } from 'zod';
import { blockName } from '../fields/names.ts';
import { text } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

/** A variable's value: a scalar, or a list of scalars. */
export function variableValue() {
  const scalar = z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' });
  return z.union([z.string(), z.number(), z.boolean(), z.array(scalar)], { error: 'text, a number, true or false, or a list of these' });
}

const variableTypes = ['string', 'integer', 'number', 'boolean', 'list'] as const;

export const variable = defineKind({
  kind: 'variable',
  summary: 'A value that differs between environments, read as ${var.name}.',
  schema: z.strictObject({
    name: blockName('variable'),
    type: z.enum(variableTypes).default('string').describe('Type every value of the variable must have.'),
    default: variableValue()
      .optional()
      .describe('Value where neither the environment nor the command line gives one. Without it, one must.'),
    description: text().optional().describe('What the variable is for.'),
  }),
  outputs: {},
  example: `variable:
  name: replicas
  type: integer
  default: 2
  description: Copies of each agent
`,
});

export type VariableFields = z.output<typeof variable.schema>;
