import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { guardedLookup, mayReach, type Networks, parseNetworks, usualNetworks } from './networks.ts';

/** A request to an address that somebody has declared. */
export interface OutboundRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** From the first lookup to the last byte. */
  readonly timeoutMs: number;
  /** An answer with a longer body is refused, however it is sent. */
  readonly mostBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface OutboundAnswer {
  readonly status: number;
  readonly body: string;
}

const refusal = 'its address is one for this machine or its cloud alone';
/** Servers on this machine and in its network are as common as public ones; where credentials are told is never one that somebody means. */
const networks = parseNetworks(usualNetworks) as Networks;
const lookup = guardedLookup(networks, refusal);

/**
 * One GET. Follows no redirect and goes through no proxy; what a name resolves to is checked where it is connected to. Throws an Error
 * whose message may be shown: it holds neither the URL's path and query, nor headers, nor anything of the answer.
 */
export async function getOutbound({ url, headers = {}, timeoutMs, mostBytes, signal }: OutboundRequest): Promise<OutboundAnswer> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('its URL is neither http nor https');
  if (url.username !== '' || url.password !== '') throw new Error('its URL holds a user or a password');
  if (!mayReach(url, networks)) throw new Error(refusal);
  const timeout = AbortSignal.timeout(timeoutMs);
  const both = signal ? AbortSignal.any([timeout, signal]) : timeout;
  try {
    return await exchange(url, headers, mostBytes, both);
  } catch (error) {
    if (timeout.aborted) throw new Error(`it did not answer within ${timeoutMs} ms`, { cause: error });
    throw error;
  }
}

function exchange(url: URL, headers: Readonly<Record<string, string>>, mostBytes: number, signal: AbortSignal): Promise<OutboundAnswer> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = request(url, {
      agent: false,
      signal,
      lookup,
      maxHeaderSize: 16_384,
      headers: { 'user-agent': 'sluice', 'accept-encoding': 'identity', accept: 'application/json', ...headers },
    });
    outgoing.once('response', (answer) => {
      const status = answer.statusCode ?? 0;
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= mostBytes) chunks.push(chunk);
        else outgoing.destroy(new Error(`its answer is longer than ${mostBytes} bytes`));
      });
      answer.once('end', () => resolve({ status, body: Buffer.concat(chunks).toString('utf8') }));
      answer.once('close', () => reject(new Error('its answer broke off')));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
