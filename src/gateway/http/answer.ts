import type { ServerResponse } from 'node:http';
import { catalogue, type ErrorCode, type ErrorParameters } from '../../errors/catalogue.ts';
import { problem } from '../../errors/sluice-error.ts';

/** An answer of the gateway's own: always JSON, always from the catalogue, never with internals. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

export function refusal<Code extends ErrorCode>(code: Code, parameters: ErrorParameters<Code>, requestId?: string): Refusal {
  const { message, help } = problem(code, parameters);
  const { status } = catalogue[code];
  return { status, body: JSON.stringify({ error: { code, message, help, ...(requestId && { request_id: requestId }) } }) };
}

/** Sends the refusal as the whole answer. `close` ends the connection after it, for requests whose end cannot be known. */
export function answerWith(res: ServerResponse, refused: Refusal, options: { close?: boolean; requestId?: string } = {}): void {
  const headers = headersOf(refused);
  if (options.requestId) headers.push('x-request-id', options.requestId);
  if (options.close) headers.push('connection', 'close');
  res.writeHead(refused.status, headers);
  res.end(refused.body);
}

/** The refusal as bytes for a socket that has no response object (the request could not be parsed). Implies the end of the connection. */
export function rawAnswer(refused: Refusal, reason: string): string {
  const headers = [...headersOf(refused), 'connection', 'close'];
  let text = `HTTP/1.1 ${refused.status} ${reason}\r\n`;
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n${refused.body}`;
}

function headersOf(refused: Refusal): string[] {
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(refused.body)),
    'cache-control',
    'no-store',
  ];
  if (refused.status === 503) headers.push('retry-after', '1');
  return headers;
}
