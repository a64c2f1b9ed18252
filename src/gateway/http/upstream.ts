import { type ClientRequest, type IncomingMessage, request, type RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';

/** What becomes of a request to an instance. Exactly one of `answered`, `switched` and `broken` comes first of the three. */
export interface UpstreamEvents {
  /** The connection exists; not a byte of the body has been sent. */
  reached(): void;
  /** The instance asked for the body (100 Continue). */
  continued(): void;
  hinted(link: string | string[]): void;
  answered(answer: IncomingMessage): void;
  switched(answer: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** More of the body can be written. */
  drained(): void;
  /** The connection could not be made or ended; after `answered`, only what was still being sent is lost. */
  broken(error: NodeJS.ErrnoException): void;
}

/**
 * Begins a request over node:http. Events of a request that is no longer the current one (`isCurrent`) are swallowed, so that one that was
 * dropped cannot touch the exchange that dropped it.
 */
export function openUpstream(
  options: RequestOptions,
  isCurrent: (candidate: ClientRequest) => boolean,
  events: UpstreamEvents,
): ClientRequest {
  const current = request(options);
  let hasAnswer = false;
  current.on('error', (error: NodeJS.ErrnoException) => {
    if (isCurrent(current)) events.broken(error);
  });
  current.on('socket', (socket) => {
    if (!socket.connecting) {
      if (isCurrent(current)) events.reached();
      return;
    }
    socket.once('connect', () => {
      if (isCurrent(current)) events.reached();
    });
  });
  current.on('continue', () => {
    if (isCurrent(current)) events.continued();
  });
  current.on('information', ({ statusCode, headers }) => {
    if (statusCode === 103 && headers.link !== undefined && isCurrent(current)) events.hinted(headers.link);
  });
  current.on('response', (answer) => {
    hasAnswer = true;
    if (isCurrent(current)) events.answered(answer);
  });
  current.on('upgrade', (answer, socket, head) => {
    hasAnswer = true;
    if (isCurrent(current)) events.switched(answer, socket, head);
    else socket.destroy();
  });
  current.on('drain', () => {
    if (isCurrent(current)) events.drained();
  });
  current.on('close', () => {
    if (!hasAnswer && isCurrent(current)) events.broken(new Error('closed'));
  });
  return current;
}
