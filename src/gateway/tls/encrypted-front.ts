import type { TLSSocket } from 'node:tls';
import type { Engine, Front } from '../http/engine.ts';
import type { Side } from '../http/exchange/admit.ts';
import { createExchange } from '../http/exchange/exchange.ts';
import { createFront } from '../http/front.ts';
import { createHttp2Front } from '../http2/http2-front.ts';
import type { ListenerCertificates } from './listener-certificates.ts';
import { createTlsAcceptor } from './tls-acceptor.ts';

export interface EncryptedFront extends Front {
  /** Puts the present certificates and ticket keys in force; connections are not touched. */
  refresh(): void;
}

export interface EncryptedFrontDependencies {
  readonly engine: Engine;
  readonly side: Side;
  /** Of the environment the door belongs to now. */
  readonly certificates: () => ListenerCertificates;
  readonly ticketKeys: () => Buffer | undefined;
}

/** When there is no room, so many idle connections are closed at a time. */
const closedAtOnce = 64;

/** Takes plain sockets, as every front does, and speaks TLS on them: then HTTP/2 or HTTP/1.1, whichever the client agrees to. */
export function createEncryptedFront({ engine, side, certificates, ticketKeys }: EncryptedFrontDependencies): EncryptedFront {
  const http1 = createFront(engine, side);
  const http2 = createHttp2Front({
    begin: (downstream) => createExchange(engine, side, downstream),
    limits: engine.limits,
    now: engine.now,
    report: (error) => engine.log.error({ reason: String(error) }, 'request handler failed'),
  });
  engine.fronts.add(http2);
  const acceptor = createTlsAcceptor({
    certificates,
    ticketKeys,
    handshakeMs: engine.limits.requestHeadMs,
    http1: (socket) => http1.accept(socket, { isEncrypted: true }),
    http2: (socket) => http2.accept(socket, { isEncrypted: true, mayCarry: carrierOf(socket) }),
  });
  const carrierOf =
    ({ servername }: TLSSocket) =>
    (host: string): boolean =>
      certificates().sharesConnection(typeof servername === 'string' && servername !== '' ? servername : undefined, host);

  let isRetired = false;

  const front: EncryptedFront = {
    accept: (socket) => {
      if (engine.connectionCount() >= engine.limits.clientConnections && !makeRoom(engine)) socket.destroy();
      else acceptor.accept(socket);
    },
    refresh: () => acceptor.refresh(),
    retire: () => {
      isRetired = true;
      http1.retire();
      http2.retire();
    },
    destroy: () => {
      http2.destroy();
      http1.destroy();
      acceptor.destroy();
    },
    expire: () => {
      if (!isRetired || http2.connections > 0 || acceptor.handshakes() > 0) return;
      engine.fronts.delete(http2);
      engine.fronts.delete(front);
    },
    /** Those that shake hands; the others count where they are served. */
    get connections() {
      return acceptor.handshakes();
    },
    closeIdle: () => 0,
  };
  engine.fronts.add(front);
  return front;
}

function makeRoom(engine: Engine): boolean {
  for (const front of engine.fronts) if (front.closeIdle(closedAtOnce) > 0) return true;
  return false;
}
