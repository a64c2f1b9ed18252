import { z } from 'zod';
import { blockName, refersTo } from '../fields/names.ts';
import { defineKind } from './kind-spec.ts';

export const grant = defineKind({
  kind: 'grant',
  summary: 'Gives a role to people, groups or services.',
  schema: z.strictObject({
    name: blockName('grant'),
    role: refersTo('role', { ordering: true }).describe('Role that is given.'),
    to: z
      .array(
        z.string().regex(/^(user|group|service)\/[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/, {
          error: 'a subject such as group/releases, user/ada or service/logging-agent',
        }),
      )
      .min(1, { error: 'a list with at least one subject' })
      .describe('Who holds it.'),
  }),
  outputs: {},
  example: `grant:
  name: release-managers
  role: release-manager
  to: [group/releases]
`,
});
