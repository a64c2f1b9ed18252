import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

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

/** Where machines in a cloud are told their credentials, and what is only on the link: never the address of a server somebody means. */
const forbidden = new BlockList();
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addAddress('100.100.100.200', 'ipv4');
forbidden.addAddress('fd00:ec2::254', 'ipv6');

/**
 * One GET. Follows no redirect and goes through no proxy; what a name resolves to is checked where it is connected to. Throws an Error
 * whose message may be shown: it holds neither the URL's path and query, nor headers, nor anything of the answer.
 */
export async function getOutbound({ url, headers = {}, timeoutMs, mostBytes, signal }: OutboundRequest): Promise<OutboundAnswer> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('its URL is neither http nor https');
  if (url.username !== '' || url.password !== '') throw new Error('its URL holds a user or a password');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && isForbidden(host)) throw new Error(refusal);
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
      lookup: guardedLookup(),
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

const refusal = 'its address is one for this machine or its cloud alone';

/** Resolves a name as the system does, and refuses it when any of its addresses is forbidden. */
export function guardedLookup(resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const found: readonly LookupAddress[] = addresses ?? [];
      const [first] = found;
      if (error) callback(error, '');
      else if (first === undefined || found.some(({ address }) => isForbidden(address))) callback(new Error(refusal), '');
      else if (options.all === true) callback(null, [...found]);
      else callback(null, first.address, first.family);
    });
  };
}

function isForbidden(address: string): boolean {
  return forbidden.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
