import type { ErrorCode, ErrorParameters } from '../../../errors/catalogue.ts';
import { refusal, type Refusal } from '../../http/answer.ts';
import { literal, quoted } from './quoting.ts';

/** Expressions that stand for parameters only known with the request; each must be fit for JSON. */
const expressions = {
  caller: '%[var(txn.caller),field(2,/),json(utf8s)]',
  callee: '%[var(txn.callee),json(utf8s)]',
  requestId: '%[var(txn.id),json(utf8s)]',
} as const;

const markers = { caller: '@caller@', callee: '@callee@', requestId: '@id@' } as const;

/** A rule's `return` that answers like the embedded plane: status, JSON body, headers. */
export function returns<Code extends ErrorCode>(code: Code, parameters: ErrorParameters<Code>, more = ''): string {
  const refused = refusal(code, parameters);
  return `return status ${refused.status} content-type application/json lf-string ${quoted(bodyOf(refused))}${headersOf(refused)}${more}`;
}

/** The parameters of a forbidden call, as known to the rules. */
export const forbiddenCall = { caller: markers.caller, service: markers.callee };

/** `http-error` for what HAProxy itself finds wrong with a request that it has begun to route: with the request's id. */
export function httpError<Code extends ErrorCode>(status: number, code: Code, parameters: ErrorParameters<Code>): string {
  const refused = refusal(code, parameters, { requestId: markers.requestId });
  return `http-error status ${status} content-type application/json lf-string ${quoted(bodyOf(refused))}${headersOf({ ...refused, status })}`;
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

function bodyOf(refused: Refusal): string {
  let body = literal(refused.body);
  for (const name of ['caller', 'callee', 'requestId'] as const) body = body.replaceAll(markers[name], expressions[name]);
  return body;
}

function headersOf({ status }: { status: number }): string {
  const retry = status === 503 || status === 429 ? ' hdr retry-after 1' : '';
  return ` hdr cache-control no-store${retry}`;
}
