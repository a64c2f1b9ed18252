import { fieldKind, isHopByHop, kind, namedByConnection } from './wire/field-kinds.ts';
import type { ResponseHead } from './wire/response-head.ts';

export interface ClientHead {
  /** End-to-end fields, repeated ones included; with a request id and a date. */
  readonly headers: string[];
  /** Value of `x-sluice-attributes`; empty when there is none. */
  readonly attributes: string;
}

/** The header a client gets for an instance's answer. Framing is the client's side's affair, but for a known Content-Length. */
export function clientHead(answer: ResponseHead, requestId: string, date: () => string): ClientHead {
  const raw = answer.headers;
  const named = answer.connection === undefined ? undefined : namedByConnection(answer.connection);
  const isStream = answer.framing === 'chunked' || answer.framing === 'close';
  const headers: string[] = [];
  let hasRequestId = false;
  let hasDate = false;
  let attributes = '';
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const found = fieldKind(name);
    if (found !== kind.plain) {
      if (isHopByHop(found)) continue;
      if (found === kind.contentLength && answer.status === 204) continue;
      if (found === kind.trailer && !isStream) continue;
      if (found === kind.requestId) hasRequestId = true;
      else if (found === kind.date) hasDate = true;
      else if (found === kind.sluiceAttributes) attributes = raw[index + 1] as string;
    }
    if (named?.has(name.toLowerCase()) === true && found !== kind.contentLength) continue;
    headers.push(name, raw[index + 1] as string);
  }
  if (!hasRequestId) headers.push('x-request-id', requestId);
  if (!hasDate) headers.push('date', date());
  return { headers, attributes };
}

/** Bytes of the answer's body for the client: -1 when unknown, `none` when it has no body. */
export function lengthOf(answer: ResponseHead): number | 'none' {
  if (answer.framing === 'none') return 'none';
  return answer.framing === 'length' ? answer.contentLength : -1;
}
