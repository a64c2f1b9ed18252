import { z } from 'zod';
import { blockName, refersTo } from '../fields/names.ts';
import { hostName, text } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

export const tunnel = defineKind({
  kind: 'tunnel',
  summary: 'A way from the internet to one service of a machine that has no public address.',
  schema: z.strictObject({
    name: blockName('tunnel'),
    service: refersTo('service', { ordering: true }).describe('Service it leads to.'),
    host: hostName().optional().describe('Public host name; one is chosen when absent.'),
    token: text(4096).optional().describe('Credential of the tunnel, as a secret: ${secret.name}.'),
  }),
  outputs: {
    url: { description: 'Public URL.', secret: false },
  },
  example: `tunnel:
  name: demo
  service: conversation-agent
  host: demo.example.org
`,
});
