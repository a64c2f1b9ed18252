import type { Socket } from 'node:net';
import { rawAnswer, refusal } from './answer.ts';
import type { Engine, Exchange } from './engine.ts';

/** The exchanges of each client connection, so that its end is the end of all of them, whatever state they are in. */
export interface ClientConnections {
  open(socket: Socket): unknown;
  of(socket: Socket): { add(exchange: Exchange): unknown; remove(exchange: Exchange): void };
  isBusy(socket: Socket): boolean;
  /** The connection ends after the answer that has just been given; what else it carries is not looked at. */
  closing(socket: Socket): void;
  /** The parser gave up on what the client sent. */
  spoiled(socket: Socket, error: NodeJS.ErrnoException): void;
}

interface Connection {
  readonly exchanges: Set<Exchange>;
  isSpoiled: boolean;
  isClosing: boolean;
}

export function createClientConnections(engine: Engine): ClientConnections {
  const connections = new WeakMap<Socket, Connection>();

  const open = (socket: Socket): Connection => {
    const connection: Connection = { exchanges: new Set(), isSpoiled: false, isClosing: false };
    connections.set(socket, connection);
    socket.on('close', () => {
      for (const exchange of connection.exchanges) exchange.abandoned();
    });
    return connection;
  };
  const connectionOf = (socket: Socket): Connection => connections.get(socket) ?? open(socket);

  return {
    open,
    of: (socket) => {
      const connection = connectionOf(socket);
      return {
        add: (exchange) => connection.exchanges.add(exchange),
        remove: (exchange) => {
          connection.exchanges.delete(exchange);
          if (connection.isSpoiled && connection.exchanges.size === 0) socket.destroySoon();
        },
      };
    },
    isBusy: (socket) => connectionOf(socket).exchanges.size > 0,
    closing: (socket) => {
      connectionOf(socket).isClosing = true;
    },
    spoiled: (socket, error) => {
      const connection = connectionOf(socket);
      if (connection.isSpoiled || connection.isClosing) return;
      connection.isSpoiled = true;
      if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
      else if (connection.exchanges.size > 0) for (const exchange of connection.exchanges) exchange.spoil();
      else socket.end(answerTo(error), () => socket.destroy());
    },
  };

  function answerTo(error: NodeJS.ErrnoException): string {
    if (error.code === 'HPE_HEADER_OVERFLOW') return rawAnswer(refusal('gateway_headers_too_large', {}), 'Request Header Fields Too Large');
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return rawAnswer(refusal('gateway_request_timeout', {}), 'Request Timeout');
    engine.log.warn({ reason: error.code }, 'request refused by the parser');
    return rawAnswer(refusal('gateway_request_invalid', { reason: 'it cannot be parsed' }), 'Bad Request');
  }
}
