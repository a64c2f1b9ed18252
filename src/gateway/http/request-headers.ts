import type { RequestHead } from './downstream.ts';
import { isSaneRequestId, isTraceparent } from './trace.ts';
import { fieldKind, type FieldKind, kind, namedByConnection } from './wire/field-kinds.ts';
import { areSafe } from './wire/fields.ts';

export interface OutgoingHead {
  /** Field lines and the empty line; the request line comes before it. */
  readonly fields: string;
  readonly requestId: string;
}

const methodsWithoutImpliedBody = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * The header an instance gets: the client's end-to-end fields in their order and spelling, then the gateway's own. Whatever the client says
 * about where it comes from (`Forwarded`, `X-Forwarded-*`) or who it is (`x-sluice-*`) is replaced, underscore spellings included, since
 * CGI-like servers read `X_Forwarded_For` as the same field. `caller`: name of the calling service on the internal listener; undefined on a
 * public one. Undefined when the fields, which came by another protocol, cannot be written in this one.
 */
export function outgoingHead(
  head: RequestHead,
  caller: string | undefined,
  identifier: (bytes: number) => string,
): OutgoingHead | undefined {
  const raw = head.headers;
  if (head.protocol === 'HTTP/2.0' && !areSafe(raw)) return undefined;
  const named = namedIn(raw);
  let text = '';
  let hasHost = false;
  let requestId: string | undefined;
  let traceparent: string | undefined;
  let traceparents = 0;
  let tracestates = '';
  let acceptsTrailers = false;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    const found = fieldKind(name);
    switch (found) {
      case kind.plain:
      case kind.date:
        if (named?.has(name.toLowerCase()) !== true) text += `${name}: ${value}\r\n`;
        break;
      case kind.host:
        text += `${name}: ${head.authority}\r\n`;
        hasHost = true;
        break;
      case kind.requestId:
        if (requestId === undefined && isSaneRequestId(value)) requestId = value;
        break;
      case kind.traceparent:
        traceparent = value;
        traceparents += 1;
        break;
      case kind.tracestate:
        tracestates += `tracestate: ${value}\r\n`;
        break;
      case kind.te:
        acceptsTrailers ||= /(?:^|,)\s*trailers\s*(?:$|,|;)/i.test(value);
        break;
      case kind.trailer:
        if (head.body === 'stream') text += `${name}: ${value}\r\n`;
        break;
      default:
        if (isBetweenServices(found) && caller !== undefined) text += `${name}: ${value}\r\n`;
    }
  }
  if (!hasHost) text = `host: ${head.authority}\r\n${text}`;
  requestId ??= identifier(16);
  text += `x-request-id: ${requestId}\r\n`;
  if (traceparents === 1 && isTraceparent(traceparent as string)) text += `traceparent: ${traceparent}\r\n${tracestates}`;
  else text += `traceparent: 00-${identifier(16)}-${identifier(8)}-01\r\n`;
  text += originFields(head);
  if (caller !== undefined) text += `x-sluice-caller: ${caller}\r\n`;
  if (acceptsTrailers) text += 'te: trailers\r\n';
  if (head.upgrade !== undefined) text += `connection: Upgrade\r\nupgrade: ${head.upgrade}\r\n`;
  return { fields: `${text}${framingFields(head)}\r\n`, requestId };
}

function isBetweenServices(found: FieldKind): boolean {
  return found === kind.sluice || found === kind.sluiceAttributes;
}

function namedIn(raw: readonly string[]): ReadonlySet<string> | undefined {
  let connection: string | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    if (fieldKind(raw[index] as string) !== kind.connection) continue;
    const value = raw[index + 1] as string;
    connection = connection === undefined ? value : `${connection},${value}`;
  }
  return connection === undefined ? undefined : namedByConnection(connection);
}

function originFields(head: RequestHead): string {
  const address = head.clientAddress;
  const { authority } = head;
  const proto = head.isEncrypted ? 'https' : 'http';
  const node = address.includes(':') ? `"[${address}]"` : address;
  return `x-forwarded-for: ${address}\r\nx-forwarded-proto: ${proto}\r\nx-forwarded-host: ${authority}\r\nforwarded: for=${node};host="${authority}";proto=${proto}\r\n`;
}

function framingFields(head: RequestHead): string {
  let text = '';
  if (head.body === 'stream') text = 'transfer-encoding: chunked\r\n';
  else if (head.body === 'length') text = `content-length: ${head.contentLength}\r\n`;
  else if (head.contentLength === 0 || !methodsWithoutImpliedBody.has(head.method)) text = 'content-length: 0\r\n';
  if (head.expectsContinue && head.body !== 'none') text += 'expect: 100-continue\r\n';
  return text;
}
