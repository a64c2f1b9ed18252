import { createServer, type Server } from 'node:net';
import type { Front } from '../http/engine.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { listenOn } from '../listening/listen.ts';
import type { Door } from './door.ts';

/** Accepts the connections of one door and gives them to a front. */
export interface Acceptor {
  /** Throws `gateway_port_taken` when another program came first. */
  open(socket: BoundSocket): Promise<void>;
  /** Keeps a further handle of the socket for `crowd`. */
  reserve(socket: BoundSocket): void;
  /**
   * Accepts by all handles there are. In one turn of the event loop, which under load is a thousand requests, libuv accepts one connection a
   * handle: with a single one, new clients would wait for seconds. While there is little to do each would only be woken in vain.
   */
  crowd(): void;
  /** Accepts by one handle again and gives up the others: how many that were. */
  calm(): number;
  /** Accepts no more; connections are not touched. */
  close(): void;
  /** Connections end after the answer they are at, idle ones at once. */
  retire(): void;
  /** Ends the connections that are left. */
  destroy(): void;
}

export function createAcceptor(front: Front, door: Door): Acceptor {
  const servers: Server[] = [];
  const reserve: BoundSocket[] = [];
  const open = async (socket: BoundSocket): Promise<void> => {
    const server = createServer({ noDelay: true }, (connection) => front.accept(connection));
    servers.push(server);
    await listenOn(server, socket, door.host, door.port);
  };
  return {
    open,
    reserve: (socket) => {
      reserve.push(socket);
    },
    crowd: () => {
      for (const socket of reserve.splice(0)) open(socket).catch(() => {});
    },
    calm: () => {
      const others = servers.splice(1);
      for (const server of others) server.close();
      return others.length;
    },
    close: () => {
      for (const server of servers.splice(0)) server.close();
      // Nobody would accept what comes to a socket that is still held.
      for (const socket of reserve.splice(0)) socket.close();
    },
    retire: () => front.retire(),
    destroy: () => front.destroy(),
  };
}
