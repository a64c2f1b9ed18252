import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { IncomingMessage } from 'node:http';
import { sluiceError } from '../../errors/sluice-error.ts';
import { readLimited } from '../input.ts';

/** What the routes of OFREP read of a request. */
export interface Asked {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** As it stands in the URL. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: { get(name: string): string | null };
  /** Throws `body_too_large`, and `invalid_request` when it ends before its time. */
  body(limit: number): Promise<Uint8Array>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
}

const noQuery = new URLSearchParams();

/**
 * The request of a context. After a change every client of a flag asks at one moment: on a socket the request is read as Node has it, for
 * the objects of the web cost more than the answer.
 */
export function askedOf({ env, req }: Context): Asked {
  const { incoming } = (env ?? {}) as Partial<HttpBindings>;
  const { url, method } = req;
  const from = url.indexOf('?');
  return {
    method,
    url,
    path: req.path,
    query: from === -1 ? noQuery : new URLSearchParams(url.slice(from + 1)),
    headers: incoming === undefined ? req.raw.headers : { get: (name) => headerOf(incoming, name) },
    body: (limit) => (incoming === undefined ? readLimited(req.raw, limit) : bodyOf(incoming, limit)),
  };
}

/** Sends an answer, on a socket without objects of the web between. */
export function send({ env }: Context, { status, headers, body }: Answer): Response {
  const { outgoing } = (env ?? {}) as Partial<HttpBindings>;
  const all = body === undefined ? headers : { ...headers, 'content-type': 'application/json' };
  if (outgoing === undefined) return new Response(body ?? null, { status, headers: all });
  if (body === undefined) outgoing.writeHead(status, all).end();
  else outgoing.writeHead(status, { ...all, 'content-length': Buffer.byteLength(body) }).end(body);
  return RESPONSE_ALREADY_SENT;
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}

function bodyOf(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    let size = 0;
    const cut = (): void => {
      if (!incoming.readableEnded) reject(sluiceError('invalid_request', { where: 'body', reason: 'it ended before its time' }));
    };
    incoming.on('data', (piece: Uint8Array) => {
      size += piece.length;
      if (size > limit) reject(sluiceError('body_too_large', { limit }));
      else pieces.push(piece);
    });
    incoming.once('end', () => resolve(pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)));
    incoming.once('error', cut);
    incoming.once('close', cut);
  });
}
