import { z } from 'zod';
import { stackPath } from '../../fields/paths.ts';
import { hostName, portNumber } from '../../fields/text.ts';

/** The authority asked when none is named: Let's Encrypt. */
export const defaultAcmeDirectory = 'https://acme-v02.api.letsencrypt.org/directory';

const coveredHost = z
  .string()
  .max(253, { error: 'at most 253 characters' })
  .regex(/^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/, {
    error: 'a host name in lower case such as shop.example.com or *.example.com',
  })
  .meta({ 'x-type': 'host name' });

const secretReference = z
  .string()
  .regex(/^\$\{secret\.[a-z0-9-]{1,63}(\.value)?\}$/, { error: 'a path inside the folder of the stack, or ${secret.name}' });

const certificate = z.strictObject({
  hosts: z.array(coveredHost).default([]).describe('Host names it is used for; all the names in it when left out.'),
  certificate: stackPath('file').describe(
    'Certificate chain in PEM, the certificate of the server first. Read anew when the file changes.',
  ),
  key: z
    .union([stackPath('file'), secretReference], { error: 'a path inside the folder of the stack, or ${secret.name}' })
    .describe('Its private key in PEM: a file kept out of Git, or ${secret.name}.'),
});

const acme = z.strictObject({
  email: z
    .string()
    .regex(/^[^\s@,;:]{1,64}@[^\s@,;:]{1,253}$/, { error: 'an email address' })
    .optional()
    .describe('Where the authority may send warnings.'),
  directory: z
    .string()
    .max(2048, { error: 'at most 2048 characters' })
    .regex(/^https:\/\/[^\s/?#@]+(\/[^\s#]*)?$/, { error: 'a URL that starts with https://' })
    .default(defaultAcmeDirectory)
    .describe('Directory of the certificate authority (RFC 8555). To use it is to agree to its terms.'),
  authority: stackPath('file').optional().describe('Certificates in PEM to trust the directory by, where no public authority signed it.'),
  hosts: z
    .array(hostName())
    .optional()
    .describe('Host names to get certificates for; those of all exposed services that have none when left out.'),
});

/** How the public reaches an environment by HTTPS. */
export const tls = z
  .strictObject({
    certificates: z.array(certificate).default([]).describe('Certificates of your own; the first is for clients that name no known host.'),
    acme: acme.optional().describe('Automatic certificates: port 80 of each host must lead to the plain listener.'),
    redirect: z.boolean().default(true).describe('Whether plain requests are sent on to HTTPS.'),
    port: portNumber().optional().describe('Port of HTTPS; chosen once and kept when left out.'),
  })
  .refine(({ certificates, acme }) => certificates.length > 0 || acme !== undefined, { error: 'certificates, acme or both' });

export type TlsFields = z.output<typeof tls>;
