import { createServer, type Server } from 'node:net';
import type { Front } from '../http/engine.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { listenOn } from '../listening/listen.ts';
import type { Door } from './door.ts';

/** Accepts the connections of one door and gives them to a front. */
export interface Acceptor {
  /** Throws `gateway_port_taken` when another program came first. May be called again with further handles of the same socket. */
  open(socket: BoundSocket): Promise<void>;
  /** Accepts no more; connections are not touched. */
  close(): void;
  /** Connections end after the answer they are at, idle ones at once. */
  retire(): void;
  /** Ends the connections that are left. */
  destroy(): void;
}

export function createAcceptor(front: Front, door: Door): Acceptor {
  const servers: Server[] = [];
  return {
    open: async (socket) => {
      const server = createServer({ noDelay: true }, (connection) => front.accept(connection));
      await listenOn(server, socket, door.host, door.port);
      servers.push(server);
    },
    close: () => {
      for (const server of servers.splice(0)) server.close();
    },
    retire: () => front.retire(),
    destroy: () => front.destroy(),
  };
}
