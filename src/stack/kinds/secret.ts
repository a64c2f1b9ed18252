import { z } from 'zod';
import { isJsonObject } from '../../digest/json.ts';
import { blockName } from '../fields/names.ts';
import { stackPath } from '../fields/paths.ts';
import { text, whole } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

const fromEnvironment = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, { error: 'the name of an environment variable' })
    .describe('Environment variable to read, of the shell that plans or applies; else of the one that started the control plane.'),
  optional: z.boolean().default(false).describe('Whether it may be missing; the value is then empty.'),
});

const fromFile = z.strictObject({
  file: stackPath('file').describe('File to read, kept out of Git; a newline at its end is dropped.'),
});

const generated = z.strictObject({
  generated: z
    .strictObject({ length: whole(16, 1024).default(32).describe('Number of characters.') })
    .describe('Made once from a secure random source and kept.'),
});

const encrypted = z.strictObject({
  encrypted: text(65_536).describe('The value encrypted for the control plane, in the ASCII armor of age; safe to keep in Git.'),
});

export const secret = defineKind({
  kind: 'secret',
  summary: 'A value that is never shown: only a reference to it is written, stored and printed.',
  stateful: ({ value }) => isJsonObject(value) && 'generated' in value,
  schema: z.strictObject({
    name: blockName('secret'),
    value: z
      .union([fromEnvironment, fromFile, generated, encrypted], {
        error: 'one of { env: NAME }, { file: path }, { generated: {} } and { encrypted: text }',
      })
      .describe('Where the value comes from.'),
  }),
  outputs: {
    value: { description: 'The value; ${secret.name} is short for it.', secret: true },
  },
  example: `secret:
  - name: model-api-key
    value: { env: MODEL_API_KEY, optional: true }
  - name: session-key
    value: { generated: { length: 48 } }
`,
});

export type SecretFields = z.output<typeof secret.schema>;
