import { readFileSync } from 'node:fs';
import type { Refusal } from '../http/answer.ts';
import type { RequestHead } from '../http/downstream.ts';
import type { ListenerRoute } from '../routing-table.ts';
import { challengeFile } from './acme/acme-files.ts';

const challengePath = '/.well-known/acme-challenge/';
const challengeToken = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * What the plain twin of an encrypted listener answers by itself, before any routing: the pending challenges of automatic certificates, and
 * the way to the encrypted listener where that is wanted. Undefined: the request is to be routed.
 */
export function plainAnswer(head: RequestHead, listener: ListenerRoute, folder: string): Refusal | undefined {
  const { tls } = listener;
  if (tls === undefined || head.isEncrypted) return undefined;
  const challenge = tls.acme && pendingChallenge(head, folder);
  if (challenge !== undefined) return answer(200, challenge, ['content-type', 'application/octet-stream']);
  if (listener.redirectToTls !== true) return undefined;
  const port = tls.port === 443 ? '' : `:${tls.port}`;
  return answer(308, '', ['location', `https://${head.host}${port}${head.target}`]);
}

/** Only what an authority may ask for at this moment, and only for the host it is about. */
function pendingChallenge({ host, target }: RequestHead, folder: string): string | undefined {
  if (!target.startsWith(challengePath)) return undefined;
  const token = target.slice(challengePath.length);
  if (!challengeToken.test(token)) return undefined;
  try {
    return readFileSync(challengeFile(folder, host, token), 'utf8');
  } catch {
    return undefined;
  }
}

function answer(status: number, body: string, headers: readonly string[]): Refusal {
  return { status, body, headers, requestId: undefined, retryAfter: undefined };
}
