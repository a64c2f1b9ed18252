import { createAdaptorServer } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sluiceError } from '../errors/sluice-error.ts';

export interface ApiServer {
  readonly url: string;
  /** Takes no more requests, lets running ones end for a moment, then cuts what is left. */
  close(): Promise<void>;
}

export interface ListenRequest {
  readonly app: Pick<OpenAPIHono, 'fetch'>;
  readonly host: string;
  /** Demanded by the user; 0 for any free one. */
  readonly port: number | undefined;
  /** Taken when it is free: clients that wait for a restart find the new process where the old one was. */
  readonly previousPort: number | undefined;
}

const graceMs = 1_000;

/** Throws `address_unavailable`. */
export async function listen({ app, host, port, previousPort }: ListenRequest): Promise<ApiServer> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 },
  }) as Server;
  const listened =
    port === undefined && previousPort !== undefined && (await tryListen(server, host, previousPort)) === undefined
      ? undefined
      : await tryListen(server, host, port ?? 0);
  if (listened !== undefined)
    throw sluiceError('address_unavailable', { host, port: port ?? 0, reason: listened.message }, { cause: listened });
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${reachable(bound)}:${bound.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      // A connection that was kept alive ends as soon as its last answer is out.
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearInterval(idle);
      clearTimeout(cut);
    },
  };
}

function tryListen(server: Server, host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      resolve(error);
    };
    const onListening = (): void => {
      server.off('error', onError);
      resolve(undefined);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen({ host, port, exclusive: true });
  });
}

/** Where a client on this machine reaches a server that may listen everywhere. */
function reachable({ address }: AddressInfo): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return address.includes(':') ? `[${address}]` : address;
}
