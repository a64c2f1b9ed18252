import * as net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { readProxyHeader } from './proxy-header.ts';
import type { BoundSocket } from './bound-socket.ts';
import { sluiceError } from '../../errors/sluice-error.ts';

/** Binds a unix socket without listening. Not public of Node, as `bindSocket`: node:net listens where it binds. Throws `gateway_port_taken`. */
export function bindRelay(path: string): BoundSocket {
  const { _createServerHandle: create } = net as unknown as {
    readonly _createServerHandle: (path: string, port: -1, family: -1) => BoundSocket | number;
  };
  const socket = create(path, -1, -1);
  if (typeof socket === 'number') throw sluiceError('gateway_port_taken', { address: path, reason: getSystemErrorName(socket) });
  return socket;
}

const backlog = 4_096;

/**
 * Accepts from a bound unix socket. `Server.listen` takes the descriptor out of a handle of this kind instead of the handle, and both would
 * close it; what node:cluster does is to give the server its handle.
 */
export function listenOnRelay(server: net.Server, socket: BoundSocket): void {
  const listen2 = Reflect.get(server, '_listen2') as (path: null, port: -1, family: -1, backlog: number) => void;
  Reflect.set(server, '_handle', socket);
  listen2.call(server, null, -1, -1, backlog);
}

/** Who relays says at once whose connection it is. */
const headerMs = 10_000;
const headerBytes = 4_096;

/**
 * Waits for the PROXY header of a connection, and gives the connection on as one that comes from the address named there. One that begins
 * otherwise is ended: nobody but who relays can reach the socket.
 */
export function unwrapRelayed(socket: net.Socket, accept: (socket: net.Socket) => void): void {
  let received: Buffer = Buffer.alloc(0);
  const end = (): void => {
    socket.destroy();
  };
  const take = (data: Buffer): void => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    const header = readProxyHeader(received);
    if (header.outcome === 'incomplete' && received.length < headerBytes) return;
    if (header.outcome !== 'address') {
      end();
      return;
    }
    socket.off('data', take);
    socket.off('end', end);
    socket.setTimeout(0, end);
    socket.pause();
    const rest = received.subarray(header.length);
    if (rest.length > 0) socket.unshift(rest);
    Object.defineProperty(socket, 'remoteAddress', { value: header.address });
    accept(socket);
    socket.resume();
  };
  // `accept` adds its own; without one an error here would be nobody's.
  socket.on('error', () => {});
  socket.setTimeout(headerMs, end);
  socket.on('end', end);
  socket.on('data', take);
}
