import { eventStreamHeaders } from '../event-stream.ts';
import type { ChangeReader } from './change-feed.ts';

/** Messages that wait for a reader who takes none; then the stream ends, and who comes again is told what is true by then. */
const waitingLimit = 100;

/** A stream of changes as a response. `giveBack` is called once, however it ends. */
export function changeStream(
  join: (reader: ChangeReader) => Promise<() => void>,
  {
    retryMs,
    giveBack,
    headers,
  }: {
    /** After how long a client that has lost its stream comes again. */
    readonly retryMs: number;
    readonly giveBack: () => void;
    readonly headers: Readonly<Record<string, string>>;
  },
): Response {
  let leave: (() => void) | undefined;
  let isOver = false;
  const over = (): void => {
    isOver = true;
    leave?.();
    giveBack();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const end = (): void => {
          if (isOver) return;
          over();
          controller.close();
        };
        const tell = (text: Uint8Array): void => {
          if (isOver) return;
          if ((controller.desiredSize ?? 0) > -waitingLimit) controller.enqueue(text);
          else end();
        };
        // Lets the reader see that the connection stands, before anything has happened.
        tell(new TextEncoder().encode(`retry: ${retryMs}\n: connected\n\n`));
        join({ tell, end }).then((given) => {
          leave = given;
          if (isOver) given();
        }, end);
      },
      cancel: over,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { ...eventStreamHeaders, ...headers } });
}
