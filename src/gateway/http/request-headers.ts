import type { IncomingMessage } from 'node:http';
import type { BodyFraming } from './request-check.ts';
import { isHopByHop, namedByConnection } from './hop-by-hop.ts';
import { isSaneRequestId, isTraceparent } from './trace.ts';

export interface Passage {
  readonly authority: string;
  readonly body: BodyFraming;
  readonly contentLength: string | undefined;
  readonly expectsContinue: boolean;
  /** Name of the calling service on the internal listener; undefined on a public one. */
  readonly caller: string | undefined;
  /** Protocol the client wants to switch to. */
  readonly upgrade: string | undefined;
  readonly identifier: (bytes: number) => string;
}

export interface OutgoingHead {
  /** Name, value, name, value: as Node takes and gives raw headers. */
  readonly headers: string[];
  readonly requestId: string;
}

const methodsWithoutImpliedBody = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * The header an instance gets: the client's end-to-end fields in their order and spelling, then the gateway's own. Whatever the client says
 * about where it comes from (`Forwarded`, `X-Forwarded-*`) or who it is (`x-sluice-*`) is replaced, underscore spellings included, since
 * CGI-like servers read `X_Forwarded_For` as the same field.
 */
export function outgoingHead(req: IncomingMessage, passage: Passage): OutgoingHead {
  const raw = req.rawHeaders;
  const named = namedByConnection(req.headers.connection);
  const headers: string[] = [];
  let requestId: string | undefined;
  let traceparent: string | undefined;
  let traceparents = 0;
  let acceptsTrailers = false;
  const tracestates: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    const lower = name.toLowerCase();
    switch (lower) {
      case 'x-request-id':
        requestId ??= isSaneRequestId(value) ? value : undefined;
        continue;
      case 'traceparent':
        traceparent = value;
        traceparents += 1;
        continue;
      case 'tracestate':
        tracestates.push(value);
        continue;
      case 'te':
        acceptsTrailers ||= /(?:^|,)\s*trailers\s*(?:$|,|;)/i.test(value);
        continue;
      case 'trailer':
        if (passage.body === 'chunked') headers.push(name, value);
        continue;
      case 'host':
        headers.push(name, passage.authority);
        continue;
      case 'content-length':
      case 'expect':
        continue;
      default:
        if (isHopByHop(lower) || named?.has(lower) || isGatewaysOwn(lower, passage.caller)) continue;
        headers.push(name, value);
    }
  }
  requestId ??= passage.identifier(16);
  const traced = traceparents === 1 && traceparent !== undefined && isTraceparent(traceparent);
  headers.push('x-request-id', requestId);
  headers.push('traceparent', traced ? (traceparent as string) : `00-${passage.identifier(16)}-${passage.identifier(8)}-01`);
  if (traced) for (const state of tracestates) headers.push('tracestate', state);
  pushOrigin(headers, req, passage);
  if (passage.caller !== undefined) headers.push('x-sluice-caller', passage.caller);
  if (acceptsTrailers) headers.push('te', 'trailers');
  if (passage.upgrade !== undefined) headers.push('connection', 'Upgrade', 'upgrade', passage.upgrade);
  pushFraming(headers, req.method ?? 'GET', passage);
  return { headers, requestId };
}

function pushOrigin(headers: string[], req: IncomingMessage, passage: Passage): void {
  const address = plainAddress(req.socket.remoteAddress);
  headers.push('x-forwarded-for', address, 'x-forwarded-proto', 'http', 'x-forwarded-host', passage.authority);
  const node = address.includes(':') ? `"[${address}]"` : address;
  headers.push('forwarded', `for=${node};host="${passage.authority}";proto=http`);
}

function pushFraming(headers: string[], method: string, passage: Passage): void {
  if (passage.body === 'chunked') headers.push('transfer-encoding', 'chunked');
  else if (passage.body === 'length') headers.push('content-length', passage.contentLength as string);
  else if (passage.contentLength !== undefined || !methodsWithoutImpliedBody.has(method)) headers.push('content-length', '0');
  if (passage.expectsContinue && passage.body !== 'none') headers.push('expect', '100-continue');
}

const replaced = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;
const framing = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'expect', 'upgrade', 'te', 'trailer']);

/** Fields that only the gateway may set. Between services, `x-sluice-*` fields other than token and caller belong to the services. */
function isGatewaysOwn(lower: string, caller: string | undefined): boolean {
  const name = lower.includes('_') ? lower.replaceAll('_', '-') : lower;
  if (name !== lower && framing.has(name)) return true;
  if (replaced.test(name)) return true;
  if (!name.startsWith('x-sluice-')) return false;
  return caller === undefined || name === 'x-sluice-token' || name === 'x-sluice-caller';
}

/** `127.0.0.1` for `::ffff:127.0.0.1`. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
