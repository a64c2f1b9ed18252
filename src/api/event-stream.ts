import type { Clock } from '../effects/clock.ts';

/** One server-sent event; `id` is what a reader sends as Last-Event-ID to go on after it. */
interface StreamMessage {
  readonly id?: number | string;
  readonly data: unknown;
}

/** A handler's answer that is a stream instead of a document. */
export interface MessageStream {
  /** Called once, and at once; the signal is aborted when the reader goes, also when it has not read anything. */
  messages(signal: AbortSignal): AsyncIterable<StreamMessage>;
}

/** How long a stream may take to tell the rest when the server closes. */
const restMs = 1_000;
/** Proxies and readers take a connection that is silent for a minute for dead. */
const heartbeatMs = 15_000;

/**
 * A `text/event-stream` response. Reads the next message only when the reader has taken the one before, so a slow reader costs no
 * memory. Aborts the source when the reader goes away or `closing` is aborted; then it ends with what the source still gives.
 */
export function eventStreamResponse(stream: MessageStream, { clock, closing }: { clock: Clock; closing: AbortSignal }): Response {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, closing]);
  const source = stream.messages(signal)[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let pending: Promise<IteratorResult<StreamMessage>> | undefined;

  /** What an aborted source still gives, if it does so soon. */
  const remaining = async (source: Promise<IteratorResult<StreamMessage>>): Promise<IteratorResult<StreamMessage> | 'ended'> => {
    const told = new AbortController();
    const late = clock.sleep(restMs, AbortSignal.any([told.signal, gone.signal])).then(
      () => 'ended' as const,
      () => 'ended' as const,
    );
    const given = await Promise.race([source.catch(() => 'ended' as const), late]);
    told.abort();
    return given;
  };

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
        // With a reason of its own: without one an exception with a stack is made for each of a thousand streams.
        beat.abort('something came');
        if (next === 'heartbeat') {
          controller.enqueue(encoder.encode(': heartbeat\n\n'));
          return;
        }
        const last = next === 'ended' ? await remaining(pending) : next;
        pending = undefined;
        if (last === 'ended' || ('done' in last && last.done === true)) controller.close();
        else if ('thrown' in last) controller.error(last.thrown);
        else controller.enqueue(encoder.encode(format(last.value)));
      },
      cancel: () => {
        gone.abort(new Error('the reader has gone'));
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(body, { headers: eventStreamHeaders });
}

export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

/** JSON has no line breaks of its own, so a message is always one `data` line. */
function format({ id, data }: StreamMessage): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
