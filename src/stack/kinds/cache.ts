import { z } from 'zod';
import { blockName, refersTo } from '../fields/names.ts';
import { memory } from '../fields/quantity.ts';
import { defineKind } from './kind-spec.ts';

export const cache = defineKind({
  kind: 'cache',
  summary: 'A key-value store in memory.',
  schema: z.strictObject({
    name: blockName('cache'),
    resource_group_name: refersTo('resource_group', { ordering: true }).optional().describe('Resource group it belongs to.'),
    type: z.enum(['Redis', 'Valkey']).default('Valkey').describe('Engine; the two speak one protocol.'),
    memory: memory().prefault('64Mi').describe('Memory for data; the least recently used is dropped beyond it.'),
  }),
  outputs: {
    url: { description: 'Connection URL with password.', secret: true },
    host: { description: 'Host the server listens on.', secret: false },
    port: { description: 'Port the server listens on.', secret: false },
    password: { description: 'Password of the server.', secret: true },
  },
  example: `cache:
  name: sessions
  type: Valkey
  memory: 128Mi
`,
});
