import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../effects/clock.ts';
import type { Downstream, DownstreamEvents } from '../../http/downstream.ts';
import { defaultLimits } from '../../http/limits.ts';
import { createListenerCertificates, type ListenerCertificates } from '../../tls/listener-certificates.ts';
import { createTestAuthority, type TestAuthority } from '../../tls/testing/authority.ts';
import { createTlsAcceptor, type TlsAcceptor } from '../../tls/tls-acceptor.ts';
import { createHttp2Front, type Http2Front } from '../http2-front.ts';

/** An exchange of the test's own on the real front, over real TLS. */
export type Serve = (downstream: Downstream) => Partial<DownstreamEvents>;

export interface Http2Rig {
  readonly port: number;
  readonly folder: string;
  readonly authority: TestAuthority;
  readonly certificates: ListenerCertificates;
  readonly acceptor: TlsAcceptor;
  readonly front: Http2Front;
  /** What the next streams are served by. */
  serve(by: Serve): void;
  connect(servername?: string): ClientHttp2Session;
  close(): Promise<void>;
}

export async function createHttp2Rig(): Promise<Http2Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-http2-'));
  const authority = await createTestAuthority(folder);
  const certificates = createListenerCertificates(folder);
  const [app, other] = [await authority.issue('app', ['app.test', '*.app.test']), await authority.issue('other', ['other.test'])];
  certificates.follow({
    port: 0,
    certificates: [
      { ...app, hosts: [] },
      { ...other, hosts: [] },
    ],
  });
  let by: Serve = none;
  const front = createHttp2Front({
    serve: (downstream) => ({ body: noop, bodyEnd: noop, bodyBroken: noop, drained: noop, gone: noop, ...by(downstream) }),
    limits: defaultLimits,
    now: () => systemClock.monotonic(),
    report: noop,
  });
  const acceptor = createTlsAcceptor({
    certificates,
    ticketKeys: () => undefined,
    handshakeMs: 5_000,
    http1: (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\none'),
    http2: (socket) => front.accept(socket, (host) => certificates.sharesConnection(socket.servername || undefined, host)),
  });
  const server = createServer((socket) => acceptor.accept(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sessions: ClientHttp2Session[] = [];
  return {
    port,
    folder,
    authority,
    certificates,
    acceptor,
    front,
    serve: (next) => {
      by = next;
    },
    connect: (servername = 'app.test') => {
      const session = connect(`https://127.0.0.1:${port}`, { ca: authority.ca, servername });
      session.on('error', noop);
      sessions.push(session);
      return session;
    },
    close: async () => {
      for (const session of sessions) session.destroy();
      front.destroy();
      acceptor.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function noop(): void {}

function none(): Partial<DownstreamEvents> {
  return {};
}
