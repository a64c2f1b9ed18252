import type { IncomingMessage } from 'node:http';
import type { Received, Send } from './transport.ts';

/** Not imported: that would ask the module for all it exports, WebSocket among it, which loads the whole of `fetch`. */
const { request } = process.getBuiltinModule('node:http');

/**
 * What the client needs of `fetch`, by Node's own HTTP: loading `fetch` takes a command longer than all else it does. Plain HTTP only; a
 * connection for each request, and a redirect is an answer like any other.
 */
export const httpSend: Send = (url, { method = 'GET', headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent: false, ...(signal && { signal }) });
    asking.once('error', reject);
    asking.once('response', (answer) => resolve(received(answer)));
    asking.end(body);
  });

function received(answer: IncomingMessage): Received {
  const status = answer.statusCode ?? 0;
  const text = async (): Promise<string> => Buffer.concat(await answer.toArray()).toString('utf8');
  return { ok: status >= 200 && status < 300, status, text, json: async () => JSON.parse(await text()) as unknown, body: answer };
}
