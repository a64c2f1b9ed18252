import { mkdir, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { axios, Client, crypto } from 'acme-client';
import { writeDurably } from '../../../effects/files.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { authorityFolder, challengeFile, issuedFile } from './acme-files.ts';

export interface CertificateOrder {
  readonly host: string;
  readonly directoryUrl: string;
  readonly email?: string | undefined;
  /** See `RoutingTable`. */
  readonly caFile?: string | undefined;
}

/**
 * Gets a certificate for one host by ACME (RFC 8555) with the challenge http-01, and leaves it in `issuedFile`. The authority asks for the
 * challenge at port 80 of the host meanwhile; who answers it reads `challengeFile`. The key never leaves the machine. One call at a time.
 * Throws `tls_issue_failed`.
 */
export async function issueCertificate(folder: string, order: CertificateOrder, pollMs = 1_000): Promise<void> {
  const { host, directoryUrl, email, caFile } = order;
  try {
    axios.defaults.httpsAgent = new Agent(caFile === undefined ? {} : { ca: await readFile(caFile) });
    const accountKey = await accountKeyOf(folder, directoryUrl);
    const client = new Client({ directoryUrl, accountKey, backoffMin: pollMs, backoffMax: pollMs * 15, backoffAttempts: 15 });
    const [key, csr] = await crypto.createCsr({ altNames: [host] }, await crypto.createPrivateEcdsaKey('P-256'));
    const chain = await client.auto({
      csr,
      ...(email !== undefined && { email }),
      termsOfServiceAgreed: true,
      // The authority will see; from here the public name may lead nowhere.
      skipChallengeVerification: true,
      challengePriority: ['http-01'],
      challengeCreateFn: async (_authorization, challenge, answer) => {
        if (challenge.type !== 'http-01') throw new Error(`the authority offers ${challenge.type} only`);
        await writeDurably(challengeFile(folder, host, challenge.token), answer);
      },
      challengeRemoveFn: async (_authorization, challenge) => rm(challengeFile(folder, host, challenge.token), { force: true }),
    });
    await writeDurably(issuedFile(folder, directoryUrl, host), `${key.toString()}\n${chain}`);
  } catch (error) {
    throw sluiceError('tls_issue_failed', { host, reason: error instanceof Error ? error.message : String(error) }, { cause: error });
  }
}

/** An account belongs to its key: the authority knows it again by that. */
async function accountKeyOf(folder: string, directoryUrl: string): Promise<Buffer> {
  const file = join(authorityFolder(folder, directoryUrl), 'account.key');
  const known = await readFile(file).catch(() => undefined);
  if (known !== undefined) return known;
  await mkdir(authorityFolder(folder, directoryUrl), { recursive: true, mode: 0o700 });
  const made = await crypto.createPrivateEcdsaKey('P-256');
  await writeDurably(file, made);
  return made;
}
