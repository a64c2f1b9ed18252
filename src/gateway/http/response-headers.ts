import type { IncomingMessage } from 'node:http';
import { isHopByHop, namedByConnection } from './hop-by-hop.ts';

export interface AnswerPassage {
  /** Method of the request: an answer to HEAD has a length but no body. */
  readonly method: string;
  readonly requestId: string;
  /** The client's connection ends after this answer. */
  readonly close: boolean;
  /** The client understands chunked coding (HTTP/1.1). */
  readonly chunked: boolean;
}

/** The header a client gets for an instance's answer: its end-to-end fields, repeated ones included. Framing is chosen anew. */
export function incomingHead(response: IncomingMessage, passage: AnswerPassage): string[] {
  const raw = response.rawHeaders;
  const named = namedByConnection(response.headers.connection);
  const bodiless = response.statusCode === 204 || response.statusCode === 304 || passage.method === 'HEAD';
  const isChunked = response.headers['transfer-encoding'] !== undefined && passage.chunked && !bodiless;
  const headers: string[] = [];
  let hasRequestId = false;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const lower = name.toLowerCase();
    if (isHopByHop(lower) || named?.has(lower)) continue;
    if (lower === 'content-length' && response.statusCode === 204) continue;
    if (lower === 'trailer' && !isChunked) continue;
    if (lower === 'x-request-id') hasRequestId = true;
    headers.push(name, raw[index + 1] as string);
  }
  if (isChunked) headers.push('transfer-encoding', 'chunked');
  if (!hasRequestId) headers.push('x-request-id', passage.requestId);
  if (passage.close) headers.push('connection', 'close');
  return headers;
}

/** Whether the client can tell a cut answer from a complete one: by its length or by the last chunk. */
export function endIsMarked(response: IncomingMessage, chunked: boolean): boolean {
  return response.headers['content-length'] !== undefined || chunked;
}
