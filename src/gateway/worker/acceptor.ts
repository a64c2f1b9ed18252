import type { Front } from '../http/engine.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { createFrontServer } from '../listening/front-server.ts';
import { listenOn } from '../listening/listen.ts';
import type { Door } from './door.ts';

/** What accepts the connections of one door and serves them. */
export interface Acceptor {
  /** Throws `gateway_port_taken` when another program came first. */
  open(socket: BoundSocket): Promise<void>;
  /** Accepts no more; connections without a request end, what runs goes on. */
  close(): void;
  /** Ends the connections that are left. */
  destroy(): void;
}

export function createAcceptor(front: Front, door: Door): Acceptor {
  const frontServer = createFrontServer(front);
  return {
    open: (socket) => listenOn(frontServer.server, socket, door.host, door.port),
    close: () => frontServer.close(),
    destroy: () => frontServer.destroy(),
  };
}
