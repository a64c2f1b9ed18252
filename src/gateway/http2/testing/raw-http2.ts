import { connect, type TLSSocket } from 'node:tls';
import { until } from '../../../testing/conditions.ts';

/** Numbers of frame types (RFC 9113 section 6). */
export const frames = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, continuation: 9 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** An HTTP/2 client that sends whatever it is told to, frame by frame. */
export interface RawHttp2 {
  send(type: number, flags: number, stream: number, payload?: Buffer): void;
  received(): readonly Frame[];
  receives(what: string, matches: (frame: Frame) => boolean): Promise<Frame>;
  /** Resolves when the other side has closed. */
  closed(): Promise<true>;
  isClosed(): boolean;
  destroy(): void;
}

export async function rawHttp2(port: number, ca: string, servername = 'app.test'): Promise<RawHttp2> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca, servername, ALPNProtocols: ['h2'] });
  let pending = Buffer.alloc(0);
  let isClosed = false;
  const got: Frame[] = [];
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
      const length = pending.readUIntBE(0, 3);
      const [type, flags, stream] = [pending.readUInt8(3), pending.readUInt8(4), pending.readUInt32BE(5)];
      got.push({ type, flags, stream, payload: pending.subarray(9, 9 + length) });
      pending = pending.subarray(9 + length);
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  const send: RawHttp2['send'] = (type, flags, stream, payload = Buffer.alloc(0)) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    socket.write(Buffer.concat([head, payload]));
  };
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  send(frames.settings, 0, 0);
  return {
    send,
    received: () => got,
    receives: (what, matches) => until(what, () => got.find(matches)),
    closed: () => until('the end of the connection', () => isClosed),
    isClosed: () => isClosed,
    destroy: () => socket.destroy(),
  };
}

/** Fields as HPACK literals that are not indexed (RFC 7541 section 6.2.2); texts below 127 bytes. */
export function literals(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]),
  );
}

export const requestFields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'app.test'],
  [':path', '/'],
] as const;
