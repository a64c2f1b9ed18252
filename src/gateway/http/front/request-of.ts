import { refusal, type Refusal } from '../answer.ts';
import type { RequestHead } from '../downstream.ts';
import type { ParsedRequest, RequestOutcome } from '../wire/request-head.ts';

const upgradeOption = /(?:^|,)[\t ]*upgrade[\t ]*(?:,|$)/i;
const offered = /^(?!h2c?$|http\b)[a-z0-9._-]+(?:\/[a-z0-9._-]+)?$/i;

/** What the exchange is told of a request that came by HTTP/1. */
export function requestOf(parsed: ParsedRequest, clientAddress: string, isEncrypted: boolean): RequestHead {
  const { method, authority, host, target, body, contentLength, fields } = parsed;
  const isCurrent = parsed.minorVersion === 1;
  return {
    method,
    authority,
    host,
    target,
    headers: fields.headers,
    memo: fields.memo,
    protocol: isCurrent ? 'HTTP/1.1' : 'HTTP/1.0',
    body,
    contentLength,
    expectsContinue: fields.expect !== undefined && isCurrent && body !== 'none',
    upgrade: fields.upgrade === undefined ? undefined : worthwhileUpgrade(parsed),
    clientAddress,
    isEncrypted,
  };
}

/**
 * The protocol to offer to the instance. HTTP/2 is not: requests in it would pass the gateway unseen (h2c smuggling). Neither is a switch by
 * a request with a body. What is not worthwhile is treated as if it had no Upgrade field (RFC 9110 section 7.8).
 */
function worthwhileUpgrade({ method, minorVersion, body, fields }: ParsedRequest): string | undefined {
  const { connection, upgrade } = fields;
  const isAsked = connection !== undefined && upgradeOption.test(connection);
  if (!isAsked || method !== 'GET' || minorVersion !== 1 || body !== 'none' || upgrade === undefined) return undefined;
  return offered.test(upgrade) ? upgrade : undefined;
}

/** `127.0.0.1` for `::ffff:127.0.0.1`. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** The answer to what cannot be passed on. */
export function refusalOf(parsed: Exclude<RequestOutcome, ParsedRequest>): Refusal {
  if (parsed.outcome === 'invalid') return refusal('gateway_request_invalid', { reason: parsed.reason });
  if (parsed.outcome === 'unsupported') return refusal('gateway_request_unsupported', { what: parsed.what });
  return refusal('gateway_headers_too_large', {});
}
