import { z } from 'zod';
import { duration } from '../fields/duration.ts';
import { blockName, refersTo } from '../fields/names.ts';
import { whole } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

export const queue = defineKind({
  kind: 'queue',
  summary: 'A durable queue of messages between services.',
  stateful: () => true,
  schema: z.strictObject({
    name: blockName('queue'),
    resource_group_name: refersTo('resource_group', { ordering: true }).optional().describe('Resource group it belongs to.'),
    retention: duration().default('7d').describe('How long a message that nobody takes is kept.'),
    max_deliveries: whole(1, 1000).default(5).describe('Attempts before a message is set aside.'),
  }),
  outputs: {
    url: { description: 'Connection URL with credentials.', secret: true },
  },
  example: `queue:
  name: transcripts
  retention: 24h
  max_deliveries: 3
`,
});
