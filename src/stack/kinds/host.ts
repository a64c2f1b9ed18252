import { z } from 'zod';
import { blockName } from '../fields/names.ts';
import { portNumber, text } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

export const host = defineKind({
  kind: 'host',
  summary: 'A machine that exists already and is reached by SSH.',
  schema: z.strictObject({
    name: blockName('host'),
    address: text(253).describe('Host name or IP address.'),
    port: portNumber().default(22).describe('Port of its SSH server.'),
    user: text(64).describe('User to log in as.'),
    private_key: text(16_384).optional().describe('Key to log in with, as a secret: ${secret.name}.'),
    host_key: text(1024).optional().describe('Public key the host must present.'),
  }),
  outputs: {
    address: { description: 'Address on which what runs there is reached.', secret: false },
  },
  example: `host:
  name: rack-1
  address: rack-1.example.org
  user: deploy
  private_key: \${secret.rack-key}
  host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB1
`,
});
