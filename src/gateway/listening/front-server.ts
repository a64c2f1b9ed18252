import { createServer, type Server } from 'node:net';
import type { Front } from '../http/engine.ts';

/** A listening socket and the front it gives its connections to. */
export interface FrontServer {
  readonly server: Server;
  /** Accepts no more; connections end after the answer they are at. `closed`: once the last has. */
  close(closed?: () => void): void;
  /** Ends connections that are left. */
  destroy(): void;
}

export function createFrontServer(front: Front): FrontServer {
  const server = createServer({ noDelay: true }, (socket) => front.accept(socket));
  return {
    server,
    close: (closed) => {
      server.close(closed);
      front.retire();
    },
    destroy: () => front.destroy(),
  };
}
