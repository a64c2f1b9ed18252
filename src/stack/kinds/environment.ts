import { isIP } from 'node:net';
import { z } from 'zod';
import { duration } from '../fields/duration.ts';
import { blockName, refersTo } from '../fields/names.ts';
import { portNumber } from '../fields/text.ts';
import { tls } from './environment/tls.ts';
import { defineKind } from './kind-spec.ts';
import { variableValue } from './variable.ts';

const providerNames = ['local', 'docker', 'kubernetes', 'azure', 'ssh', 'simulated'] as const;

const gateway = z
  .strictObject({
    engine: z
      .enum(['auto', 'embedded', 'haproxy'])
      .optional()
      .describe(
        'What carries the requests: embedded, which is part of Sluice; haproxy, whose binary has to be on PATH: it answers ordinary requests by itself and passes all others on to embedded; or auto, the default: haproxy where it is there. One gateway serves all environments, so those that say so have to agree.',
      ),
    address: z
      .string()
      .refine((text) => isIP(text) !== 0, { error: 'an IP address such as 0.0.0.0 or 192.0.2.10' })
      .optional()
      .describe(
        'IP address of this machine that the public reaches; 0.0.0.0 for all of them. This machine alone (127.0.0.1) when left out.',
      ),
    ports: z
      .strictObject({
        http: portNumber().optional().describe('Port of plain HTTP; chosen once and kept when left out.'),
        https: portNumber().optional().describe('Port of HTTPS, as port of tls.'),
      })
      .default({})
      .describe('Ports the public reaches. Those below 1024 need the right to open them.'),
    tls: tls.optional().describe('HTTPS with HTTP/2 beside plain HTTP.'),
  })
  .superRefine(({ ports, tls: secure }, context) => {
    const complain = (field: string, message: string): void => context.addIssue({ code: 'custom', path: ['ports', field], message });
    if (ports.https !== undefined && secure === undefined) complain('https', 'a port of HTTPS together with tls');
    if (ports.https !== undefined && secure?.port !== undefined && secure.port !== ports.https)
      complain('https', 'the same port as that of tls');
    const https = ports.https ?? secure?.port;
    if (ports.http !== undefined && ports.http === https) complain('http', 'another port than that of HTTPS');
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
      address: 0.0.0.0
      ports: { http: 80, https: 443 }
      tls:
        certificates:
          - { certificate: tls/shop.pem, key: tls/shop.key }
        acme: { email: ops@example.com }
`,
});

export type EnvironmentFields = z.output<typeof environment.schema>;
