import { createServer } from 'node:net';
import type { Front } from '../http/engine.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { listenOn } from '../listening/listen.ts';
import { listenOnRelay, unwrapRelayed } from '../listening/relay-socket.ts';
import type { Door } from './door.ts';

/** Accepts the connections of one door and gives them to a front. */
export interface Acceptor {
  /** Throws `gateway_port_taken` when another program came first. */
  open(socket: BoundSocket): Promise<void>;
  /** Accepts no more; connections are not touched. */
  close(): void;
  /** Connections end after the answer they are at, idle ones at once. */
  retire(): void;
  /** Ends the connections that are left. */
  destroy(): void;
}

export function createAcceptor(front: Front, door: Door): Acceptor {
  const isRelayed = door.side === 'relayed';
  const server = isRelayed
    ? createServer((socket) => unwrapRelayed(socket, (unwrapped) => front.accept(unwrapped)))
    : createServer({ noDelay: true }, (socket) => front.accept(socket));
  return {
    open: async (socket) => (isRelayed ? listenOnRelay(server, socket) : listenOn(server, socket, door.host, door.port)),
    close: () => {
      server.close();
    },
    retire: () => front.retire(),
    destroy: () => front.destroy(),
  };
}
