import type { Server } from 'node:net';
import { sluiceError } from '../../errors/sluice-error.ts';

/** Resolves with the port once the server accepts connections; throws `gateway_port_taken` when it cannot. `port` 0 takes any. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      // It stays registered when the attempt fails: a server that is tried again and again would collect them.
      server.off('listening', listening);
      reject(sluiceError('gateway_port_taken', { address: `${host}:${port}`, reason: error.code ?? error.message }, { cause: error }));
    };
    const listening = (): void => {
      server.off('error', failed);
      server.on('error', () => {});
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen({ host, port, exclusive: true, backlog: 4_096 });
  });
}
