import { lookup } from 'node:dns/promises';
import * as net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { sluiceError } from '../../errors/sluice-error.ts';

/**
 * A TCP socket that is bound and held, and from which this process accepts nothing: it is given to those who do, and as long as anyone
 * holds it no connection that waits in its queue is lost.
 */
export interface BoundSocket {
  readonly fd: number;
  close(): void;
  /** Fills in the address; not zero when there is none. */
  getsockname(address: { port?: number }): number;
}

/**
 * Node's public API only binds sockets that it also accepts from. `node:cluster` opens those it shares by this function, but ties its
 * workers' lives to the process that did.
 */
const { _createServerHandle: createHandle } = net as unknown as {
  readonly _createServerHandle: (address: string, port: number, family: 4 | 6, fd: undefined, flags: number) => BoundSocket | number;
};

/** UV_TCP_REUSEPORT of libuv: several sockets of one user may listen at the address. */
const reusable = 2;

/** Whether others may be bound there: nobody, only later ones, or also one that is there already. */
export type Sharing = 'alone' | 'later' | 'besides';

/** A socket, and the port it is bound to. */
export interface Bound {
  readonly socket: BoundSocket;
  readonly port: number;
}

/** Binds without listening; `port` 0 takes any. Throws `gateway_port_taken`, also when the host is none of this machine's. */
export async function bindSocket(host: string, port: number, sharing: Sharing = 'alone'): Promise<Bound> {
  // One that can be shared is bound even where another such one is.
  if (sharing === 'later' && port !== 0) (await bindSocket(host, port)).socket.close();
  const taken = (reason: string): Error => sluiceError('gateway_port_taken', { address: `${host}:${port}`, reason });
  const found = await lookup(host).catch(() => undefined);
  if (found === undefined) throw taken('the host is unknown');
  const socket = createHandle(found.address, port, found.family === 6 ? 6 : 4, undefined, sharing === 'alone' ? 0 : reusable);
  if (typeof socket === 'number') throw taken(getSystemErrorName(socket));
  const bound: { port?: number } = {};
  // libuv keeps EADDRINUSE of bind() to itself until listen(): what is not bound has no address.
  if (socket.getsockname(bound) !== 0 || !bound.port || (port !== 0 && bound.port !== port)) {
    socket.close();
    throw taken('EADDRINUSE');
  }
  return { socket, port: bound.port };
}
