import { z } from 'zod';
import { blockName } from '../fields/names.ts';
import { defineKind } from './kind-spec.ts';

/** What a role may allow; the access rules of the API are made of the same words. */
const permissions = [
  'read',
  'plan',
  'apply',
  'destroy',
  'approve',
  'promote',
  'abort',
  'rollback',
  'scale',
  'restart',
  'administer',
] as const;

export const role = defineKind({
  kind: 'role',
  summary: 'What its holders may do, and where.',
  schema: z.strictObject({
    name: blockName('role'),
    allow: z.array(z.enum(permissions)).min(1, { error: 'a list with at least one permission' }).describe('What is allowed.'),
    on: z
      .array(
        z.string().regex(/^(\*|[a-z0-9-]+)\/(\*|[a-z_]+)(\/(\*|[a-z0-9-]+))?$/, {
          error: 'an address pattern such as production/* or staging/service/*',
        }),
      )
      .min(1, { error: 'a list with at least one address pattern' })
      .describe('Addresses it holds for: environment/kind/name, with * for any.'),
  }),
  outputs: {},
  example: `role:
  name: release-manager
  allow: [read, approve, promote, abort, rollback]
  on: [production/*]
`,
});
