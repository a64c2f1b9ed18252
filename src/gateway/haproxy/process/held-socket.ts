import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { sluiceError } from '../../../errors/sluice-error.ts';
import type { BoundSocket } from '../../listening/bound-socket.ts';

/**
 * A bound TCP socket that this process holds without ever accepting on it, for HAProxy to listen on by inheritance: while HAProxy is started
 * again the kernel goes on taking connections into its queue.
 */
export interface HeldSocket {
  readonly fd: number;
  readonly port: number;
  /** To be given to another process. */
  readonly handle: BoundSocket;
  close(): void;
}

/** What node:net itself makes its servers of. Not public: `node:net` offers no socket that is bound and does not accept. */
type CreateHandle = (host: string, port: number, family: 4 | 6, fd: undefined, flags: number) => BoundSocket | number;

/** UV_TCP_REUSEPORT of libuv: several sockets of one user may listen on the address. */
const shared = 2;

/**
 * Throws `gateway_port_taken`. Port 0 takes any. With `besides` another one may have it open: a HAProxy of before, which does not give its
 * inherited sockets away. Otherwise nobody may, though the socket is one that can be shared later.
 */
export function holdSocket(host: string, port: number, besides: boolean): HeldSocket {
  if (besides || port === 0) return bind(host, port, shared);
  bind(host, port, 0).close();
  return bind(host, port, shared);
}

function bind(host: string, port: number, flags: number): HeldSocket {
  const { _createServerHandle: create } = net as unknown as { readonly _createServerHandle: CreateHandle };
  const handle = create(host, port, host.includes(':') ? 6 : 4, undefined, flags);
  const name: { port?: number } = {};
  // A port that is taken is only told of when the socket is used (libuv, uv_tcp_bind).
  const failure = typeof handle === 'number' ? handle : handle.getsockname(name);
  if (typeof handle === 'number' || failure !== 0) {
    if (typeof handle !== 'number') handle.close();
    throw sluiceError('gateway_port_taken', { address: `${host}:${port}`, reason: getSystemErrorName(failure) });
  }
  return heldSocket(handle, name.port ?? port);
}

/** A socket that another process has bound and given. */
export function heldSocket(handle: BoundSocket, port: number): HeldSocket {
  return { fd: handle.fd, port, handle, close: () => handle.close() };
}
