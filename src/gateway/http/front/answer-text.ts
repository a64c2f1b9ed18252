import { http } from '../../../effects/builtins.ts';
import { refusalHeaders, type Refusal } from '../answer.ts';
import type { RawHeaders, RequestHead } from '../downstream.ts';
import { fieldKind, kind } from '../wire/field-kinds.ts';
import { fieldsText } from '../wire/fields.ts';

/** How the end of an answer's body is told to an HTTP/1 client. */
export type AnswerFraming = 'none' | 'length' | 'chunked' | 'close';

export function answerFraming(head: RequestHead, length: number | 'none'): AnswerFraming {
  if (length === 'none') return 'none';
  if (length >= 0) return 'length';
  return head.protocol === 'HTTP/1.0' ? 'close' : 'chunked';
}

/** The header of an answer, with the fields of this connection. `known`: `headers` as field lines, where that is at hand. */
export function answerText(
  head: RequestHead,
  status: number,
  reason: string,
  headers: RawHeaders,
  known: string | undefined,
  framing: AnswerFraming,
  close: boolean,
): string {
  const fields = framing === 'close' ? fieldsText(withoutTrailer(headers)) : (known ?? fieldsText(headers));
  let text = `HTTP/1.1 ${status} ${reason}\r\n${fields}`;
  if (framing === 'chunked') text += 'transfer-encoding: chunked\r\n';
  if (close) text += 'connection: close\r\n';
  else if (head.protocol === 'HTTP/1.0') text += 'connection: keep-alive\r\n';
  return `${text}\r\n`;
}

function withoutTrailer(headers: RawHeaders): RawHeaders {
  return headers.filter((_each, index) => fieldKind(headers[index - (index % 2)] as string) !== kind.trailer);
}

/** An answer of the gateway's own, whole. `method`: of the request, where it is known. */
export function refusalText(refused: Refusal, method: string | undefined, close: boolean, date: string): string {
  const fields = fieldsText(refusalHeaders(refused));
  const body = method === 'HEAD' ? '' : Buffer.from(refused.body).toString('latin1');
  const connection = close ? 'connection: close\r\n' : '';
  return `HTTP/1.1 ${refused.status} ${http.STATUS_CODES[refused.status] ?? ''}\r\n${fields}date: ${date}\r\n${connection}\r\n${body}`;
}
