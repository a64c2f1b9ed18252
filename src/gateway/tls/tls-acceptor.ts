import { createSecureContext, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { contextOptions } from './certificate-slot.ts';
import type { ListenerCertificates } from './listener-certificates.ts';

/** Makes encrypted connections of accepted plain ones. */
export interface TlsAcceptor {
  accept(socket: Socket): void;
  /** Puts the present default certificate and ticket keys in force for new handshakes. */
  refresh(): void;
  /** Breaks off every connection and handshake that is left. */
  destroy(): void;
}

export interface TlsAcceptorOptions {
  readonly certificates: ListenerCertificates;
  readonly ticketKeys: () => Buffer | undefined;
  readonly handshakeMs: number;
  readonly http1: (socket: TLSSocket) => void;
  readonly http2: (socket: TLSSocket) => void;
}

/**
 * TLS 1.2 and 1.3 with the certificate for the name the client asks for. The protocol is agreed on by ALPN; a client that knows only others
 * is refused (RFC 7301), one that does not take part speaks HTTP/1.1. Nothing here listens.
 */
export function createTlsAcceptor({ certificates, ticketKeys, handshakeMs, http1, http2 }: TlsAcceptorOptions): TlsAcceptor {
  const open = new Set<Socket>();

  const baseOptions = (): SecureContextOptions & { ticketKeys?: Buffer } => {
    const keys = ticketKeys();
    return { ...contextOptions(certificates.select(undefined)?.certificate), ...(keys && { ticketKeys: keys }) };
  };

  const server = createServer({
    ...baseOptions(),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeMs,
    SNICallback: (host, answer) => answer(null, certificates.select(host)?.context ?? emptyContext()),
  });
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === 'h2') http2(socket);
    else http1(socket);
  });
  server.on('tlsClientError', (_error, socket) => {
    socket.destroy();
  });
  // It never listens; what else could go wrong concerns one connection.
  server.on('error', () => {});

  return {
    accept: (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => socket.destroy());
      server.emit('connection', socket);
    },
    refresh: () => server.setSecureContext(baseOptions()),
    destroy: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

let withoutCertificate: ReturnType<typeof createSecureContext> | undefined;

/** Ends the handshake with an alert: there is nothing to show yet. */
function emptyContext() {
  withoutCertificate ??= createSecureContext(contextOptions(undefined));
  return withoutCertificate;
}
