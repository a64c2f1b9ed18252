import { createAdaptorServer } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
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
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly random: Pick<Random, 'next'>;
}

const graceMs = 1_000;
/**
 * How long the former port is waited for. A client that connects again and again to a port among those of outgoing connections is at some
 * time given that very port and meets itself (TCP's simultaneous open); it lets go of it at once.
 */
const portPatienceMs = 500;
/** Below the ports Linux gives to outgoing connections: nobody else's connection takes it while this process is away. */
const lastingPorts = { first: 10_240, count: 20_000, tries: 20 };

/** Throws `address_unavailable`. */
export async function listen({ app, host, port, previousPort, clock, random }: ListenRequest): Promise<ApiServer> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 },
  }) as Server;
  const patient = async (wanted: number): Promise<Error | undefined> => {
    for (const begun = clock.monotonic(); ; ) {
      const refused = await tryListen(server, host, wanted);
      const isTaken = refused !== undefined && 'code' in refused && refused.code === 'EADDRINUSE';
      if (!isTaken || clock.monotonic() - begun > portPatienceMs) return refused;
      await clock.sleep(25);
    }
  };
  const anywhere = async (): Promise<Error | undefined> => {
    if (previousPort !== undefined && (await patient(previousPort)) === undefined) return undefined;
    for (let tried = 0; tried < lastingPorts.tries; tried += 1) {
      const wanted = lastingPorts.first + Math.floor(random.next() * lastingPorts.count);
      if ((await tryListen(server, host, wanted)) === undefined) return undefined;
    }
    return tryListen(server, host, 0);
  };
  const refused = port === undefined ? await anywhere() : await tryListen(server, host, port);
  if (refused !== undefined)
    throw sluiceError('address_unavailable', { host, port: port ?? 0, reason: refused.message }, { cause: refused });
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
