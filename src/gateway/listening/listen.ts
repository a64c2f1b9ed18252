import type { Server } from 'node:net';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { BoundSocket } from './bound-socket.ts';

const backlog = 4_096;

/** Resolves with the port once the server accepts connections; throws `gateway_port_taken` when it cannot. `port` 0 takes any. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await begin(server, `${host}:${port}`, () => server.listen({ host, port, exclusive: true, backlog }));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Accepts from a socket that is bound already and now is the server's. Throws `gateway_port_taken` when another listens there first. */
export function listenOn(server: Server, socket: BoundSocket, host: string, port: number): Promise<void> {
  return begin(server, `${host}:${port}`, () => server.listen(socket, backlog));
}

function begin(server: Server, address: string, act: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      // It stays registered when the attempt fails: a server that is tried again and again would collect them.
      server.off('listening', listening);
      reject(sluiceError('gateway_port_taken', { address, reason: error.code ?? error.message }, { cause: error }));
    };
    const listening = (): void => {
      server.off('error', failed);
      server.on('error', () => {});
      resolve();
    };
    server.once('error', failed);
    server.once('listening', listening);
    act();
  });
}
