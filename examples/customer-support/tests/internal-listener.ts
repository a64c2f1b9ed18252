import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small HTTP server for one test file, on a free port of 127.0.0.1. */
export async function listen(handler: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An agent's URL to pass on to, or a handler that stands in for it. */
type Target = string | ((body: string, request: IncomingMessage, response: ServerResponse) => void);

/**
 * Stands in for the internal listener of the gateway: `/<service>/<path>` with the token of the caller, checked and then taken off.
 * `targets` may be changed while it runs: an agent that is not among them is away.
 */
export async function startInternalListener(
  token: string,
  targets: Record<string, Target>,
): Promise<{ url: string; close(): Promise<void> }> {
  return listen((request, response) => {
    void route(request, response).catch(() => response.destroy());
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, service = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const target = targets[service];
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (request.headers['x-sluice-token'] !== token)
      return answer(response, 403, { error: { code: 'not_allowed', message: 'whose call is this?' } });
    if (target === undefined) return answer(response, 503, { error: { code: 'no_instance', message: `${service} has no ready instance` } });
    if (typeof target === 'function') return target(body, request, response);
    const upstream = await fetch(`${target}${path}`, {
      method: request.method ?? 'GET',
      headers: { 'x-sluice-caller': 'conversation-agent', ...(body !== '' && { 'content-type': String(request.headers['content-type']) }) },
      ...(body !== '' && { body }),
    });
    response.writeHead(upstream.status, { 'content-type': 'application/json' });
    response.end(await upstream.text());
  }
}

export function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
