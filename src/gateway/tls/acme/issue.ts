import { readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { axios, Client, crypto } from 'acme-client';
import { z } from 'zod';
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

export interface Patience {
  /** Between two questions whether the authority is done; grows up to fifteen times this. */
  readonly pollMs: number;
  /** For a whole order. */
  readonly limitMs: number;
}

const requestMs = 30_000;
const acmeSettings = { httpChallengePort: 80, httpsChallengePort: 443, tlsAlpnChallengePort: 443, retryMaxAttempts: 2 };
const accountDocument = z.object({ key: z.string(), url: z.string() });
const defaultPatience: Patience = { pollMs: 1_000, limitMs: 180_000 };

/**
 * Gets a certificate for one host by ACME (RFC 8555) with the challenge http-01, and leaves it in `issuedFile`. The authority asks for the
 * challenge at port 80 of the host meanwhile; who answers it reads `challengeFile`. The key never leaves the machine. One call at a time.
 * Throws `tls_issue_failed`.
 */
export async function issueCertificate(folder: string, order: CertificateOrder, patience: Patience = defaultPatience): Promise<void> {
  const { host, directoryUrl } = order;
  const late = Promise.withResolvers<never>();
  const limit = setTimeout(() => late.reject(new Error('the authority took too long')), patience.limitMs);
  try {
    await Promise.race([carryOut(folder, order, patience.pollMs), late.promise]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // An account the authority does not know any more is made anew at the next try.
    if (/account/i.test(reason)) await rm(accountFile(folder, directoryUrl), { force: true });
    throw sluiceError('tls_issue_failed', { host, reason }, { cause: error });
  } finally {
    clearTimeout(limit);
  }
}

async function carryOut(folder: string, order: CertificateOrder, pollMs: number): Promise<void> {
  const { host, directoryUrl, caFile } = order;
  // One client of the library serves all: what it is set to holds for this order. Whoever is tried again later need not be now.
  const httpsAgent = new Agent(caFile === undefined ? {} : { ca: await readFile(caFile) });
  Object.assign(axios.defaults, { httpsAgent, timeout: requestMs, acmeSettings: { ...acmeSettings, retryDefaultDelay: pollMs / 1_000 } });
  const account = await accountOf(folder, order);
  const waiting = { backoffMin: pollMs, backoffMax: pollMs * 15, backoffAttempts: 15 };
  const client = new Client({ directoryUrl, accountKey: account.key, accountUrl: account.url, ...waiting });
  const [key, csr] = await crypto.createCsr({ altNames: [host] }, await crypto.createPrivateEcdsaKey('P-256'));
  const chain = await client.auto({
    csr,
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
}

function accountFile(folder: string, directoryUrl: string): string {
  return join(authorityFolder(folder, directoryUrl), 'account.json');
}

/** The account with the authority, made the first time. */
async function accountOf(folder: string, { directoryUrl, email }: CertificateOrder): Promise<z.infer<typeof accountDocument>> {
  const file = accountFile(folder, directoryUrl);
  const known = accountDocument.safeParse(JSON.parse(await readFile(file, 'utf8').catch(() => 'null')));
  if (known.success) return known.data;
  const key = (await crypto.createPrivateEcdsaKey('P-256')).toString();
  const client = new Client({ directoryUrl, accountKey: key });
  await client.createAccount({ termsOfServiceAgreed: true, ...(email !== undefined && { contact: [`mailto:${email}`] }) });
  const made = { key, url: client.getAccountUrl() };
  await writeDurably(file, JSON.stringify(made));
  return made;
}
