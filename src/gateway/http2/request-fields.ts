import { normalizedHost } from '../routing/host.ts';
import type { RequestHead } from '../http/downstream.ts';

export type CheckedStream =
  | { readonly outcome: 'accepted'; readonly head: RequestHead }
  | { readonly outcome: 'invalid'; readonly reason: string }
  | { readonly outcome: 'unsupported'; readonly what: string }
  | { readonly outcome: 'too_large' };

export interface StreamFacts {
  /** The header ended the stream: there is no body. */
  readonly endsStream: boolean;
  readonly clientAddress: string;
  readonly headerCount: number;
  readonly headerBytes: number;
}

const connectionSpecific = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'http2-settings']);
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const methodToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

/**
 * A request's head from the fields of an HTTP/2 stream (`[name, value, ...]`), by RFC 9113 sections 8.2 and 8.3. The HTTP/2 library refuses
 * most of what is malformed before; this keeps the rest of the gateway independent of that. Crumbs of a cookie are joined (8.2.3).
 */
export function checkStreamHead(raw: readonly string[], facts: StreamFacts): CheckedStream {
  if (raw.length > 2 * (facts.headerCount + 4)) return { outcome: 'too_large' };
  const pseudo = new Map<string, string>();
  const headers: string[] = [];
  let bytes = 0;
  let host: string | undefined;
  let contentLength: string | undefined;
  let cookie: string | undefined;
  let expectsContinue = false;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    bytes += name.length + value.length + 4;
    if (name.startsWith(':')) {
      if (headers.length > 0 || host !== undefined || cookie !== undefined) return invalid('a pseudo field after the fields');
      if (pseudo.has(name)) return invalid('a pseudo field twice');
      pseudo.set(name, value);
      continue;
    }
    if (!token.test(name)) return invalid('a field name that is not in lower case or not a name');
    if (hasControl(value)) return invalid('a field value with control characters');
    if (connectionSpecific.has(name)) return invalid('a field that is for one connection only');
    switch (name) {
      case 'te':
        if (value.toLowerCase() !== 'trailers') return invalid('a TE field other than trailers');
        headers.push(name, value);
        break;
      case 'host':
        if (host !== undefined) return invalid('more than one Host field');
        host = value;
        break;
      case 'content-length':
        if (contentLength !== undefined) return invalid('more than one Content-Length field');
        if (!/^\d{1,15}$/.test(value)) return invalid('the Content-Length is not a number');
        contentLength = value;
        break;
      case 'cookie':
        cookie = cookie === undefined ? value : `${cookie}; ${value}`;
        break;
      case 'expect':
        if (value.toLowerCase() !== '100-continue') return { outcome: 'unsupported', what: 'expectations other than 100-continue' };
        expectsContinue = true;
        break;
      default:
        headers.push(name, value);
    }
  }
  if (bytes > facts.headerBytes) return { outcome: 'too_large' };
  const asked = checkPseudo(pseudo, host);
  if (asked.outcome !== 'asked') return asked;
  if (facts.endsStream && contentLength !== undefined && Number(contentLength) > 0) return invalid('the announced body is missing');
  if (cookie !== undefined) headers.push('cookie', cookie);
  // Those who read the head find the host and the length where HTTP/1.1 has them.
  headers.push('host', asked.authority);
  if (contentLength !== undefined) headers.push('content-length', contentLength);
  const body = facts.endsStream || contentLength === '0' ? 'none' : contentLength === undefined ? 'stream' : 'length';
  if (expectsContinue && body !== 'none') headers.push('expect', '100-continue');
  return {
    outcome: 'accepted',
    head: {
      method: asked.method,
      authority: asked.authority,
      host: asked.host,
      target: asked.target,
      headers,
      protocol: 'HTTP/2.0',
      body,
      contentLength: body === 'none' ? 0 : Number(contentLength ?? -1),
      expectsContinue: expectsContinue && body !== 'none',
      upgrade: undefined,
      clientAddress: facts.clientAddress,
      isEncrypted: true,
    },
  };
}

type Asked = { outcome: 'asked'; method: string; authority: string; host: string; target: string };

function checkPseudo(
  pseudo: ReadonlyMap<string, string>,
  hostField: string | undefined,
): Asked | Exclude<CheckedStream, { outcome: 'accepted' }> {
  for (const name of pseudo.keys()) if (!/^:(?:method|scheme|authority|path)$/.test(name)) return invalid('an unknown pseudo field');
  const method = pseudo.get(':method') ?? '';
  if (!methodToken.test(method)) return invalid('the method is missing or not a name');
  if (method === 'CONNECT') return { outcome: 'unsupported', what: 'CONNECT' };
  const scheme = pseudo.get(':scheme');
  if (scheme !== 'https') return invalid('the scheme is missing or not https');
  const authority = pseudo.get(':authority') ?? hostField;
  if (authority === undefined || authority === '') return invalid('the authority is missing');
  if (hostField !== undefined && hostField.toLowerCase() !== authority.toLowerCase()) return invalid('authority and Host differ');
  const host = normalizedHost(authority);
  if (host === undefined) return invalid('the authority is not a host name');
  const target = pseudo.get(':path') ?? '';
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(target)) return invalid('the path is missing or not a path');
  return { outcome: 'asked', method, authority, host, target };
}

function invalid(reason: string): Exclude<CheckedStream, { outcome: 'accepted' }> {
  return { outcome: 'invalid', reason };
}

function hasControl(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}
