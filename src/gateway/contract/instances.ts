import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createRawServer, type AddressInfo, type Server as RawServer, type Socket } from 'node:net';

/** Servers that play instances, all closed at once. */
export interface PlayedInstances {
  serve(handler: RequestListener): Promise<{ readonly server: Server; readonly port: number }>;
  close(): void;
}

export function createPlayedInstances(): PlayedInstances {
  const servers: Server[] = [];
  return {
    serve: async (handler) => {
      const server = createServer(handler);
      servers.push(server);
      return { server, port: await portOf(server) };
    },
    close: () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** An instance that is in full control of its bytes. `onData` gets the how-manieth piece of that connection it is. */
export async function rawInstance(onData: (socket: Socket, count: number) => void): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createRawServer((socket) => {
    let count = 0;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      count += 1;
      onData(socket, count);
    });
  });
  const port = await portOf(server);
  return {
    port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function portOf(server: RawServer): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
