import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface Received {
  readonly id: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = (response: ServerResponse, received: Received) => void;

/** A receiver on loopback. `answer` decides what each request gets; it may leave it without one. It ends with the test. */
export async function startReceiver(
  answer: Answer = (response) => response.end(),
  atTheEnd: (stop: () => Promise<void>) => void = onTestFinished,
) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = { id: String(request.headers['webhook-id']), headers: request.headers, body };
      received.push(one);
      answer(response, one);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  atTheEnd(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received, stop };
}
