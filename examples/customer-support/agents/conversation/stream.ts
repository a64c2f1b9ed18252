import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

export interface StreamedAnswer {
  readonly answer: string;
  readonly citations: readonly unknown[];
  /** Data of the last event. */
  readonly done: unknown;
}

/**
 * Server-sent events: `token` with `{ text }` for every word, `citation` for every source, `done` at the end. `paceMs` is the time
 * between two words. Ends early when the client goes away, and waits for a client that reads slowly.
 */
export async function streamAnswer(
  response: ServerResponse,
  { answer, citations, done }: StreamedAnswer,
  paceMs: number,
  gone: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  for (const text of answer.match(/\s*\S+/g) ?? []) {
    await send('token', { text });
    if (paceMs > 0) await wait(paceMs, undefined, { signal: gone });
  }
  for (const citation of citations) await send('citation', citation);
  await send('done', done);
  response.end();

  async function send(event: string, data: unknown): Promise<void> {
    if (!response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)) await once(response, 'drain', { signal: gone });
  }
}
