import type { ErrorCode, ErrorParameters } from '../../../errors/catalogue.ts';
import { refusal, type Refusal } from '../../http/answer.ts';
import { literal, quoted } from './quoting.ts';

const requestId = '@id@';

/** `http-error` for what goes wrong between HAProxy and an instance: as the embedded engine answers, with the request's id. */
export function httpError<Code extends ErrorCode>(status: number, code: Code, parameters: ErrorParameters<Code>): string {
  const refused = refusal(code, parameters, { requestId });
  const retry = status === 503 ? ' hdr retry-after 1' : '';
  return `http-error status ${status} content-type application/json lf-string ${quoted(bodyOf(refused))} hdr cache-control no-store${retry}`;
}

/** The answer of a rule, after which the connection is closed. */
export function returnAndClose<Code extends ErrorCode>(code: Code, parameters: ErrorParameters<Code>): string {
  const refused = refusal(code, parameters);
  return `return status ${refused.status} content-type application/json lf-string ${quoted(bodyOf(refused))} hdr cache-control no-store hdr connection close`;
}

/** Content of an error file: a whole answer, for what cannot be parsed. It has nothing of the request. */
export function errorFile<Code extends ErrorCode>(code: Code, parameters: ErrorParameters<Code>, reason: string): string {
  const refused = refusal(code, parameters);
  const lines = [
    `HTTP/1.1 ${refused.status} ${reason}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(refused.body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${refused.body}`;
}

function bodyOf({ body }: Refusal): string {
  return literal(body).replaceAll(requestId, '%[unique-id,json(utf8s)]');
}
