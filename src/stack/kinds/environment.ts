import { z } from 'zod';
import { duration } from '../fields/duration.ts';
import { blockName, refersTo } from '../fields/names.ts';
import { tls } from './environment/tls.ts';
import { defineKind } from './kind-spec.ts';
import { variableValue } from './variable.ts';

const providerNames = ['local', 'docker', 'kubernetes', 'azure', 'ssh', 'simulated'] as const;

const gateway = z.strictObject({
  tls: tls.optional().describe('HTTPS with HTTP/2 beside plain HTTP.'),
});

export const environment = defineKind({
  kind: 'environment',
  summary: 'One copy of the stack, with its own variables, provider and gates.',
  schema: z.strictObject({
    name: blockName('environment'),
    provider: z.enum(providerNames).default('local').describe('What makes the resources of this environment real.'),
    promote_from: refersTo('environment', { ordering: true }).optional().describe('Only a release that passed this environment may enter.'),
    approval: z
      .strictObject({
        roles: z
          .array(refersTo('role', { ordering: false }))
          .min(1, { error: 'a list with at least one role' })
          .describe('Roles of which one has to agree.'),
        timeout: duration().optional().describe('How long an approval is waited for.'),
      })
      .optional()
      .describe('Who has to agree before anything changes here.'),
    gateway: gateway.optional().describe('How the gateway serves this environment; applied like a resource.'),
    variables: z.record(z.string(), variableValue()).default({}).describe('Values of the variables in this environment.'),
  }),
  outputs: {},
  example: `environment:
  - name: staging
    variables: { replicas: 1 }
  - name: production
    promote_from: staging
    approval: { roles: [release-manager] }
    gateway:
      tls:
        certificates:
          - { certificate: tls/shop.pem, key: tls/shop.key }
        acme: { email: ops@example.com }
`,
});

export type EnvironmentFields = z.output<typeof environment.schema>;
