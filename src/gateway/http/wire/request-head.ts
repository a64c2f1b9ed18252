import { http } from '../../../effects/builtins.ts';
import { normalizedHost } from '../../routing/host.ts';
import { fieldKind, kind } from './field-kinds.ts';
import { parseFields } from './fields.ts';
import type { FieldsMemo } from '../downstream.ts';
import { type Framing, gather, noFraming, settleFraming } from './framing.ts';
import { isTarget, leavesItsPrefix, originForm } from './target.ts';

/** A request whose header is sound. What depends on the connection (addresses, encryption) is not in it. */
export interface ParsedRequest {
  readonly outcome: 'accepted';
  readonly method: string;
  readonly authority: string;
  readonly host: string;
  readonly target: string;
  readonly minorVersion: 0 | 1;
  readonly body: 'none' | 'length' | 'stream';
  /** Bytes; -1 when there is no Content-Length. */
  readonly contentLength: number;
  readonly fields: RequestFields;
}

export type RequestOutcome =
  | ParsedRequest
  | { readonly outcome: 'invalid'; readonly reason: string }
  | { readonly outcome: 'unsupported'; readonly what: string }
  | { readonly outcome: 'too_large' };

const methods: ReadonlySet<string> = new Set(http.METHODS);

/**
 * Reads a request's header by the letter of RFC 9112: what two servers could read differently (sections 3 and 6, RFC 9110 section 7.2) is
 * refused, so that the instance sees exactly the request that was routed. `text`: latin1, from the request line to the CRLF of the last
 * field line, without the empty line. `known`: fields of an earlier request; a client mostly sends the same ones again, and comparing them
 * is a tenth of the work.
 */
export function parseRequestHead(text: string, atMost: number, known?: RequestFields): RequestOutcome {
  const methodEnd = text.indexOf(' ');
  const method = text.slice(0, methodEnd);
  if (!methods.has(method)) return invalid('the method is not known');
  let targetStart = methodEnd + 1;
  while (text.charCodeAt(targetStart) === 32) targetStart += 1;
  const targetEnd = text.indexOf(' ', targetStart);
  if (targetEnd === -1 || !text.startsWith('HTTP/1.', targetEnd + 1) || !text.startsWith('\r\n', targetEnd + 9)) {
    return invalid('the request line is not one of HTTP/1');
  }
  const minor = text.charCodeAt(targetEnd + 8) - 48;
  if (minor !== 0 && minor !== 1) return invalid('the protocol version is neither 1.1 nor 1.0');
  const target = text.slice(targetStart, targetEnd);
  if (!isTarget(target)) return invalid('the request target is not a path');
  const lines = text.slice(targetEnd + 11);
  const fields = known !== undefined && known.text === lines ? known : readFields(lines, atMost);
  return 'outcome' in fields ? fields : checked(method, target, minor, fields);
}

/** What is found by the fields alone, whatever the request line is. Immutable but for `memo`. */
export interface RequestFields {
  /** The field lines. */
  readonly text: string;
  readonly headers: readonly string[];
  readonly framing: Framing;
  readonly authority: string | undefined;
  readonly host: string | undefined;
  readonly connection: string | undefined;
  readonly expect: string | undefined;
  readonly upgrade: string | undefined;
  readonly memo: FieldsMemo;
}

function readFields(text: string, atMost: number): RequestFields | RequestOutcome {
  const headers = parseFields(text, 0, atMost);
  if (headers === 'too_many') return { outcome: 'too_large' };
  if (headers === 'invalid') return invalid('a header line is malformed');
  const framing = noFraming();
  let authority: string | undefined;
  let connection: string | undefined;
  let expect: string | undefined;
  let upgrade: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const found = fieldKind(headers[index] as string);
    if (found === kind.plain) continue;
    const value = headers[index + 1] as string;
    switch (found) {
      case kind.host:
        if (authority !== undefined) return invalid('more than one Host header');
        authority = value;
        break;
      case kind.contentLength:
      case kind.transferEncoding:
        gather(framing, found, value);
        break;
      case kind.connection:
        connection = connection === undefined ? value : `${connection},${value}`;
        break;
      case kind.expect:
        expect = expect === undefined ? value : `${expect},${value}`;
        break;
      case kind.upgrade:
        upgrade = upgrade === undefined ? value : `${upgrade},${value}`;
        break;
      default:
    }
  }
  settleFraming(framing, text);
  const host = authority === undefined ? undefined : normalizedHost(authority);
  return { text, headers, framing, authority, host, connection, expect, upgrade, memo: {} };
}

function checked(method: string, asked: string, minorVersion: 0 | 1, fields: RequestFields): RequestOutcome {
  const { authority, host } = fields;
  const { fault, transferEncoding, contentLength } = fields.framing;
  if (fault !== undefined) return invalid(fault);
  if (transferEncoding !== undefined) {
    const refused = refusedCoding(transferEncoding, minorVersion);
    if (refused !== undefined) return refused;
  }
  if (method === 'CONNECT') return { outcome: 'unsupported', what: 'CONNECT' };
  if (authority === undefined) return invalid('the Host header is missing');
  if (host === undefined) return invalid('the Host header is not a host name');
  const target = originForm(asked, authority);
  if (target === undefined) return invalid('the request target is not a path');
  if (leavesItsPrefix(target)) return invalid('the path contains dot segments');
  const body = transferEncoding !== undefined ? 'stream' : contentLength > 0 ? 'length' : 'none';
  return { outcome: 'accepted', method, authority, host, target, minorVersion, body, contentLength, fields };
}

/** Codings before the last `chunked` are valid but not supported; `chunked` anywhere but last and once makes the end unknowable. */
function refusedCoding(transferEncoding: string, minorVersion: 0 | 1): RequestOutcome | undefined {
  if (minorVersion === 0) return invalid('Transfer-Encoding in HTTP/1.0');
  const coding = transferEncoding.toLowerCase();
  if (coding === 'chunked') return undefined;
  const codings = coding.split(',').map((each) => each.trim());
  const first = codings.indexOf('chunked');
  if (codings.includes('') || (first !== -1 && first !== codings.length - 1)) {
    return invalid('the Transfer-Encoding does not end with one chunked');
  }
  return { outcome: 'unsupported', what: 'transfer codings other than chunked' };
}

function invalid(reason: string): RequestOutcome {
  return { outcome: 'invalid', reason };
}
