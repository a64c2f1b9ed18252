import type { Side } from '../http/admit.ts';
import type { Engine } from '../http/engine.ts';
import { createFront } from '../http/front.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { listenOn } from '../listening/listen.ts';
import type { Door } from './door.ts';

/** What accepts the connections of one door and serves them. */
export interface Acceptor {
  /** Throws `gateway_port_taken` when another program came first. */
  open(socket: BoundSocket): Promise<void>;
  /** Accepts no more; connections without a request end, what runs goes on. */
  close(): void;
  /** Client connections that are open, whether they carry a request or not. */
  connections(): number;
  /** Ends the connections that are left. */
  destroy(): void;
}

/** The one place where this package meets the HTTP engine's way of serving a listening socket. */
export function createAcceptor(engine: Engine, side: Side, door: Door): Acceptor {
  const server = createFront(engine, side);
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => {
      connections -= 1;
    });
  });
  return {
    connections: () => connections,
    open: (socket) => listenOn(server, socket, door.host, door.port),
    close: () => {
      server.close();
    },
    destroy: () => server.closeAllConnections(),
  };
}
