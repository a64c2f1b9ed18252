import { fieldKind, isHopByHop, kind, namedByConnection } from './wire/field-kinds.ts';
import { fieldsText, flat } from './wire/fields.ts';
import type { ResponseHead } from './wire/response-head.ts';

export interface ClientHead {
  /** End-to-end fields, repeated ones included; with a request id and a date. */
  readonly headers: string[];
  /** The same as field lines, where that is at hand. */
  readonly text: string | undefined;
  /** Value of `x-sluice-attributes`; empty when there is none. */
  readonly attributes: string;
}

/** What of an answer's header goes on to the client: the same for every answer that is the same by the letter. */
interface Passed {
  readonly headers: readonly string[];
  readonly hasRequestId: boolean;
  readonly hasDate: boolean;
  readonly attributes: string;
  /** `headers` as field lines, once they were needed a second time. */
  text: string | undefined;
}

/** The header a client gets for an instance's answer. Framing is the client's side's affair, but for a known Content-Length. */
export function clientHead(answer: ResponseHead, requestId: string, date: () => string): ClientHead {
  let passed = answer.memo.passed as Passed | undefined;
  if (passed === undefined) {
    passed = passedOn(answer);
    answer.memo.passed = passed;
  } else passed.text ??= flat(fieldsText(passed.headers));
  const { attributes, hasRequestId, hasDate } = passed;
  const headers = passed.headers.slice();
  let text = passed.text;
  if (!hasRequestId) {
    headers.push('x-request-id', requestId);
    if (text !== undefined) text += `x-request-id: ${requestId}\r\n`;
  }
  if (!hasDate) {
    headers.push('date', date());
    if (text !== undefined) text += `date: ${date()}\r\n`;
  }
  return { headers, text, attributes };
}

function passedOn(answer: ResponseHead): Passed {
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
  return { headers, hasRequestId, hasDate, attributes, text: undefined };
}

/** Bytes of the answer's body for the client: -1 when unknown, `none` when it has no body. */
export function lengthOf(answer: ResponseHead): number | 'none' {
  if (answer.framing === 'none') return 'none';
  return answer.framing === 'length' ? answer.contentLength : -1;
}

/** What of a 103 is passed on: its links. */
export function earlyHints(headers: readonly string[]): string[] {
  const links: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() === 'link') links.push('Link', headers[index + 1] as string);
  }
  return links;
}
