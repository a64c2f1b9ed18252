import type { Clock } from '../effects/clock.ts';

/** One server-sent event; `id` is what a reader sends as Last-Event-ID to go on after it. */
interface StreamMessage {
  readonly id?: number;
  readonly data: unknown;
}

/** A handler's answer that is a stream instead of a document. */
export interface MessageStream {
  messages(signal: AbortSignal): AsyncIterable<StreamMessage>;
}

/** Proxies and readers take a connection that is silent for a minute for dead. */
const heartbeatMs = 15_000;

/**
 * A `text/event-stream` response. Reads the next message only when the reader has taken the one before, so a slow reader costs no
 * memory. Ends, and aborts the source, when the reader goes away or `closing` is aborted.
 */
export function eventStreamResponse(stream: MessageStream, { clock, closing }: { clock: Clock; closing: AbortSignal }): Response {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, closing]);
  const source = stream.messages(signal)[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let pending: Promise<IteratorResult<StreamMessage>> | undefined;

  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        // Lets the reader see that the connection stands, before anything has happened.
        controller.enqueue(encoder.encode(': connected\n\n'));
      },
      pull: async (controller) => {
        pending ??= source.next();
        const beat = new AbortController();
        const next = await Promise.race([
          pending.catch((thrown: unknown) => ({ thrown })),
          clock.sleep(heartbeatMs, AbortSignal.any([beat.signal, signal])).then(
            () => 'heartbeat' as const,
            () => 'ended' as const,
          ),
        ]);
        beat.abort();
        if (next === 'heartbeat') {
          controller.enqueue(encoder.encode(': heartbeat\n\n'));
          return;
        }
        pending = undefined;
        if (next === 'ended' || ('done' in next && next.done === true)) controller.close();
        else if ('thrown' in next) controller.error(next.thrown);
        else controller.enqueue(encoder.encode(format(next.value)));
      },
      cancel: () => {
        gone.abort(new Error('the reader has gone'));
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}

/** JSON has no line breaks of its own, so a message is always one `data` line. */
function format({ id, data }: StreamMessage): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
