import type { RequestHead } from './downstream.ts';
import { isSaneRequestId, isTraceparent } from './trace.ts';
import { fieldKind, type FieldKind, kind, namedByConnection } from './wire/field-kinds.ts';
import { areSafe, flat } from './wire/fields.ts';

export interface OutgoingHead {
  /** Field lines and the empty line; the request line comes before it. */
  readonly fields: string;
  readonly requestId: string;
  /** As the instance gets it. */
  readonly traceparent: string;
  /** Whether the client sent none that could be gone on with. */
  readonly startsTrace: boolean;
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
  const { memo } = head;
  let passed = memo?.outgoing as PassedOn | undefined;
  if (passed?.method !== head.method || passed.protocol !== head.protocol || passed.caller !== caller) {
    if (head.protocol === 'HTTP/2.0' && !areSafe(head.headers)) return undefined;
    passed = passedOn(head, caller);
    if (memo !== undefined) memo.outgoing = passed;
  } else if (!passed.isFlat) {
    // It will be needed again and again: as one piece it is faster to write than as a tree of all it was made of.
    passed.before = flat(passed.before);
    passed.after = flat(passed.after);
    passed.isFlat = true;
  }
  const requestId = passed.requestId ?? identifier(16);
  const startsTrace = passed.traceparent === undefined;
  const traceparent = passed.traceparent ?? `00-${identifier(16)}-${identifier(8)}-01`;
  const fields = `${passed.before}x-request-id: ${requestId}\r\ntraceparent: ${traceparent}\r\n${passed.after}`;
  return { fields, requestId, traceparent, startsTrace };
}

/** All but the ids: the same for every request with the same fields from the same client. */
interface PassedOn {
  readonly method: string;
  readonly protocol: RequestHead['protocol'];
  readonly caller: string | undefined;
  before: string;
  /** What goes behind the ids. */
  after: string;
  isFlat: boolean;
  /** Those of the client, where it sent some that can be gone on with. */
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
}

function passedOn(head: RequestHead, caller: string | undefined): PassedOn {
  const raw = head.headers;
  const named = namedIn(raw);
  let before = '';
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
        if (named?.has(name.toLowerCase()) !== true) before += `${name}: ${value}\r\n`;
        break;
      case kind.host:
        before += `${name}: ${head.authority}\r\n`;
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
        if (head.body === 'stream') before += `${name}: ${value}\r\n`;
        break;
      default:
        if (isBetweenServices(found) && caller !== undefined) before += `${name}: ${value}\r\n`;
    }
  }
  if (!hasHost) before = `host: ${head.authority}\r\n${before}`;
  if (traceparents !== 1 || !isTraceparent(traceparent as string)) traceparent = undefined;
  let after = traceparent === undefined ? '' : tracestates;
  after += originFields(head);
  if (caller !== undefined) after += `x-sluice-caller: ${caller}\r\n`;
  if (acceptsTrailers) after += 'te: trailers\r\n';
  if (head.upgrade !== undefined) after += `connection: Upgrade\r\nupgrade: ${head.upgrade}\r\n`;
  after += `${framingFields(head)}\r\n`;
  return { method: head.method, protocol: head.protocol, caller, before, after, isFlat: false, requestId, traceparent };
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
