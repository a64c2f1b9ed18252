import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { until } from '../../testing/conditions.ts';

/** A plain connection for tests that must control every byte. */
export interface RawConnection {
  readonly socket: Socket;
  /** All bytes received so far, as latin1. */
  received(): string;
  send(bytes: string | Buffer): void;
  /** Resolves once the text has arrived; fails after a while with what did arrive. */
  receives(part: string | RegExp): Promise<string>;
  /** Resolves with everything received once the other side has closed. */
  closed(): Promise<string>;
}

export async function rawConnection(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  let hasEnded = false;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.on('end', () => {
    hasEnded = true;
    socket.end();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    hasEnded = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    received: () => received,
    send: (bytes) => {
      socket.write(bytes);
    },
    receives: (part) =>
      until(`bytes like ${String(part)}`, () => {
        const has = typeof part === 'string' ? received.includes(part) : part.test(received);
        return has ? received : undefined;
      }),
    closed: () => until('the end of the connection', () => (hasEnded ? received : undefined)),
  };
}

/** Sends the bytes and resolves with all that comes back until the other side closes. */
export async function exchangeBytes(port: number, bytes: string | Buffer): Promise<string> {
  const connection = await rawConnection(port);
  connection.send(bytes);
  const answer = await connection.closed();
  connection.socket.destroy();
  return answer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/** One request on a connection of its own, for the host `app.test` unless it says otherwise. Rejects when the answer is cut. */
export function ask(port: number, options: RequestOptions = {}, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'app.test', ...(options.headers as Record<string, string>) };
    const asked = request({ host: '127.0.0.1', port, agent: false, ...options, headers });
    asked.on('error', reject);
    asked.on('response', (response) => {
      text(response).then(
        (content) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            trailers: response.trailers,
            body: content,
          }),
        reject,
      );
    });
    asked.end(body);
  });
}

/** Lets a server listen on any free port of the loopback; the port. */
export async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
