import { z } from 'zod';
import type { Json } from '../../../digest/json.ts';
import { text } from '../../fields/text.ts';

/** Any JSON: what a model takes as parameters is its own affair. */
const jsonValue = z.custom<Json>();

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, {
  error: 'named like an environment variable: letters, digits and _, not starting with a digit',
});

const environmentValue = z
  .union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' })
  .transform(String)
  .refine((value) => !value.includes('\0'), { error: 'text without NUL characters' });

/** Environment variables of an instance. */
export const environmentVariables = z.record(variableName, environmentValue);

export const model = z.strictObject({
  name: text(256).describe('Name of the model.'),
  version: text(256).describe('Exact version of the model.'),
  parameters: z.record(z.string(), jsonValue).default({}).describe('Parameters of the model, such as temperature.'),
});
