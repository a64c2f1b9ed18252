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

const backlog = 4_096;

/** A socket, and the port it is bound to. */
export interface Bound {
  readonly socket: BoundSocket;
  readonly port: number;
}

/**
 * Binds without listening; `port` 0 takes any. Throws `gateway_port_taken`, also when the host is none of this machine's. Several may bind the
 * same port: whose it is, the first to listen decides.
 */
export async function bindSocket(host: string, port: number): Promise<Bound> {
  const taken = (reason: string): Error => sluiceError('gateway_port_taken', { address: `${host}:${port}`, reason });
  const found = await lookup(host).catch(() => undefined);
  if (found === undefined) throw taken('the host is unknown');
  const socket = createHandle(found.address, port, found.family === 6 ? 6 : 4, undefined, 0);
  if (typeof socket === 'number') throw taken(getSystemErrorName(socket));
  const bound: { port?: number } = {};
  // libuv keeps EADDRINUSE of bind() to itself until listen(): what is not bound has no address.
  if (socket.getsockname(bound) !== 0 || !bound.port || (port !== 0 && bound.port !== port)) {
    socket.close();
    throw taken('EADDRINUSE');
  }
  return { socket, port: bound.port };
}

/**
 * Listens by a handle of a socket that others hold too, and gives the handle up before anything is accepted by it: from then on the kernel
 * keeps connections in the queue until somebody accepts. The result is the reason when another socket listens there.
 */
export function listenForOthers(socket: BoundSocket): string | undefined {
  const code = (socket as BoundSocket & { listen(length: number): number }).listen(backlog);
  // Before this turn of the event loop ends: in the next one it would accept.
  socket.close();
  return code === 0 ? undefined : getSystemErrorName(code);
}
