import { hash } from 'node:crypto';
import { join } from 'node:path';

/**
 * What automatic certificates leave on disk, in the folder `acme` of the gateway: one folder for each authority with its account, one file
 * for each certificate, and the answers to pending challenges. All readable by the owner only.
 */
export function authorityFolder(folder: string, directoryUrl: string): string {
  return join(folder, 'acme', hash('sha256', directoryUrl, 'hex').slice(0, 16));
}

/** Key and chain of the certificate for `host` in one file, so that they are replaced together. */
export function issuedFile(folder: string, directoryUrl: string, host: string): string {
  return join(authorityFolder(folder, directoryUrl), `${fileName(host)}.pem`);
}

/** The content is the key authorization of a challenge that an authority may ask for now. */
export function challengeFile(folder: string, host: string, token: string): string {
  return join(folder, 'acme', 'challenges', fileName(host), token);
}

/** Host names are checked before; this keeps any other text from being a path. */
function fileName(host: string): string {
  return host.replaceAll(/[^a-z0-9._-]/g, '_').replace(/^\.+/, '_');
}
