import { readFileSync } from 'node:fs';
import type { Downstream, RequestHead } from '../http/downstream.ts';
import type { ListenerRoute } from '../routing-table.ts';
import { challengeFile } from './acme/acme-files.ts';

const challengePath = '/.well-known/acme-challenge/';
const challengeToken = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * What the plain twin of an encrypted listener answers by itself, before any routing: the pending challenges of automatic certificates, and
 * the way to the encrypted listener where that is wanted. False: the request is to be routed; nothing has been said.
 */
export function answerPlain(downstream: Downstream, listener: ListenerRoute, folder: string): boolean {
  const { head } = downstream;
  const { tls } = listener;
  if (tls === undefined || head.isEncrypted) return false;
  const challenge = tls.acme && pendingChallenge(head, folder);
  if (challenge !== undefined) {
    answer(downstream, 200, 'OK', ['Content-Type', 'application/octet-stream'], challenge);
    return true;
  }
  if (listener.redirectToTls !== true) return false;
  const port = tls.port === 443 ? '' : `:${tls.port}`;
  const fields = ['Location', `https://${head.host}${port}${head.target}`, 'Cache-Control', 'no-store'];
  answer(downstream, 308, 'Permanent Redirect', fields, '');
  return true;
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

function answer(downstream: Downstream, status: number, reason: string, fields: readonly string[], text: string): void {
  const body = Buffer.from(downstream.head.method === 'HEAD' ? '' : text);
  const length = String(Buffer.byteLength(text));
  downstream.answer(status, reason, [...fields, 'Content-Length', length], downstream.head.method === 'HEAD' ? 'none' : body.length);
  if (body.length > 0) downstream.write(body);
  downstream.end([]);
}
