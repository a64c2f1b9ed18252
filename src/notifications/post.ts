import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '../effects/clock.ts';
import { isWebhookUrl } from '../stack/fields/webhook.ts';
import { guardedLookup, mayReach, type Networks, refusedCode } from '../effects/networks.ts';

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For everything from the name of the host to the status of the answer. */
  readonly timeoutMs: number;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

/** What came of it. `reason` never holds the URL, which may be a secret. */
export type PostResult =
  | { readonly answered: true; readonly status: number; readonly text: string; readonly retryAfterMs?: number }
  | { readonly answered: false; readonly reason: string };

export type Post = (request: PostRequest) => Promise<PostResult>;

/** Of an answer, what may be read of its body; the rest is not waited for. */
const mostBytes = 8_192;
const bodyMs = 1_000;

/**
 * Sends one POST and reads the answer's status. Redirects are not followed, proxies of the environment not used, and the address that was
 * judged is the one that is connected to, so that a name cannot lead elsewhere a moment later. Never rejects.
 */
export function createPost({ networks, clock }: { readonly networks: Networks; readonly clock: Clock }): Post {
  const refusal = 'its address is not one that webhooks may be sent to (SLUICE_WEBHOOK_NETWORKS)';

  const lookup = guardedLookup(networks, refusal);

  return async ({ url: text, headers, body, timeoutMs, signal }) => {
    const url = isWebhookUrl(text) ? URL.parse(text) : null;
    if (url === null) return { answered: false, reason: 'its URL is none that starts with http:// or https://' };
    if (!mayReach(url, networks)) return { answered: false, reason: refusal };
    const over = new AbortController();
    const ends = AbortSignal.any([over.signal, signal]);
    const timer = new AbortController();
    const late = clock.sleep(timeoutMs, timer.signal).then(
      () => over.abort(),
      () => undefined,
    );
    const content = Buffer.from(body, 'utf8');
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    try {
      const sent = send(url, {
        method: 'POST',
        agent: false,
        lookup,
        signal: ends,
        headers: { ...headers, 'content-type': 'application/json; charset=utf-8', 'content-length': content.length, connection: 'close' },
      });
      const response = await answerTo(sent, content);
      const retryAfterMs = retryAfter(response.headers['retry-after'], clock.now());
      const said = await beginningOf(response, clock);
      return { answered: true, status: response.statusCode ?? 0, text: said, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    } catch (error) {
      if (signal.aborted) return { answered: false, reason: 'the control plane was ending' };
      if (over.signal.aborted) return { answered: false, reason: `it did not answer within ${timeoutMs / 1_000} s` };
      return { answered: false, reason: inWords(error, refusal) };
    } finally {
      timer.abort();
      await late;
    }
  };
}

function answerTo(sent: ClientRequest, content: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // An error after the answer has begun is the body's: it is given up anyway.
    sent.on('error', reject);
    sent.once('response', resolve);
    // It would be waited for: a switch of protocols is no answer.
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(Object.assign(new Error('upgrade'), { code: 'UPGRADE' }));
    });
    sent.end(content);
  });
}

/** What can be read of the body at once; its end is not waited for long. The connection is closed in any case. */
async function beginningOf(response: IncomingMessage, clock: Clock): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const done = new AbortController();
  const finished = new Promise<void>((resolve) => {
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, mostBytes - size));
      size += chunk.length;
      if (size >= mostBytes) resolve();
    });
    response.once('error', () => resolve());
    response.once('close', () => resolve());
    response.once('end', () => resolve());
  });
  await Promise.race([finished, clock.sleep(bodyMs, done.signal).catch(() => undefined)]);
  done.abort();
  response.destroy();
  return Buffer.concat(chunks).toString('utf8');
}

/** Milliseconds of `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). */
function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined || value.length > 64) return undefined;
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing accepts connections there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'its host does not answer',
  UPGRADE: 'it answered by switching to another protocol',
};

/** Words of our own: those of the system may hold the host, which may be part of a secret. */
function inWords(error: unknown, refusal: string): string {
  const { code = '' } = error as { readonly code?: string };
  if (code === refusedCode) return refusal;
  const known = Object.hasOwn(words, code) ? words[code] : undefined;
  return known ?? (/^[A-Z_]{3,60}$/.test(code) ? `it could not be reached (${code})` : 'it could not be reached');
}
