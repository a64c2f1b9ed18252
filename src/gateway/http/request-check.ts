import type { IncomingMessage } from 'node:http';
import { normalizedHost } from '../routing/host.ts';

/** How the end of a request body is found. */
export type BodyFraming = 'none' | 'length' | 'chunked';

export type CheckedRequest =
  | {
      readonly outcome: 'accepted';
      /** As `normalizedHost` gives it. */
      readonly host: string;
      /** As the client wrote it, port included. */
      readonly authority: string;
      /** Origin form: path and query. */
      readonly target: string;
      readonly body: BodyFraming;
      readonly contentLength: string | undefined;
    }
  | { readonly outcome: 'invalid'; readonly reason: string }
  | { readonly outcome: 'unsupported'; readonly what: string }
  | { readonly outcome: 'too_large' };

/**
 * What the strict parser lets through but two servers might still read differently (RFC 9112 sections 3 and 6, RFC 9110 section 7.2):
 * refused, so that the instance sees exactly the request that was routed.
 */
export function checkRequest(req: IncomingMessage, headerCount: number): CheckedRequest {
  if (req.httpVersion !== '1.1' && req.httpVersion !== '1.0') return invalid('the protocol version is neither 1.1 nor 1.0');
  const raw = req.rawHeaders;
  if (raw.length > 2 * headerCount) return { outcome: 'too_large' };
  let authority: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    // The three names differ in length from nearly all others: cheaper than lower-casing every name.
    if (name.length === 4 && name.toLowerCase() === 'host') {
      if (authority !== undefined) return invalid('more than one Host header');
      authority = value;
    } else if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (contentLength !== undefined) return invalid('more than one Content-Length header');
      contentLength = value;
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (transferEncoding !== undefined) return invalid('more than one Transfer-Encoding header');
      transferEncoding = value;
    }
  }
  if (contentLength !== undefined && !/^\d{1,15}$/.test(contentLength)) return invalid('the Content-Length is not a number');
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined) return invalid('both Content-Length and Transfer-Encoding');
    if (req.httpVersionMinor === 0) return invalid('Transfer-Encoding in HTTP/1.0');
    if (transferEncoding.toLowerCase() !== 'chunked') return { outcome: 'unsupported', what: 'transfer codings other than chunked' };
  }
  if (authority === undefined) return invalid('the Host header is missing');
  const host = normalizedHost(authority);
  if (host === undefined) return invalid('the Host header is not a host name');
  const target = originForm(req.url ?? '', authority);
  if (target === undefined) return invalid('the request target is not a path');
  if (leavesItsPrefix(target)) return invalid('the path contains dot segments');
  const body = transferEncoding !== undefined ? 'chunked' : contentLength === undefined || Number(contentLength) === 0 ? 'none' : 'length';
  return { outcome: 'accepted', host, authority, target, body, contentLength };
}

function invalid(reason: string): CheckedRequest {
  return { outcome: 'invalid', reason };
}

/** Path and query of an origin-form target, or of an absolute one whose authority is the Host header's. */
function originForm(target: string, authority: string): string | undefined {
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target)) return undefined;
  if (target.startsWith('/')) return target;
  const absolute = /^http:\/\/([^/?]+)(.*)$/i.exec(target);
  if (absolute?.[1]?.toLowerCase() !== authority.toLowerCase()) return undefined;
  const rest = absolute[2] as string;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

const dotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\;]|%2f|%5c)/i;

/**
 * Whether an instance that resolves dot segments would see another path than the one that was matched: a way to paths of a service that
 * are not exposed. Encoded dots and slashes, backslashes and path parameters count, as common frameworks resolve those too.
 */
function leavesItsPrefix(target: string): boolean {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.includes('.') && !path.includes('%')) return false;
  return dotSegment.test(path);
}
