import type { IncomingMessage, OutgoingMessage } from 'node:http';
import { forwardableTrailers } from './hop-by-hop.ts';

/**
 * Ends `to` with the trailers of `from`. Only a chunked message can carry them; for others Node drops them silently, which is what an
 * intermediary should do.
 */
export function endWithTrailers(from: IncomingMessage, to: OutgoingMessage): void {
  if (from.rawTrailers.length > 0) {
    const trailers = forwardableTrailers(from.rawTrailers);
    if (trailers.length > 0) to.addTrailers(trailers);
  }
  to.end();
}

/** Sends the header on its own if no body follows in the same turn: a stream's first event may be minutes away. */
export function flushSoon(message: OutgoingMessage, hasWritten: () => boolean): void {
  process.nextTick(() => {
    if (!hasWritten() && !message.writableEnded && !message.destroyed) message.flushHeaders();
  });
}
