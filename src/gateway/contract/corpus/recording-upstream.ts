import { createServer, type Server, type Socket } from 'node:net';
import { ChunkedDecoder } from '../../http/wire/chunked.ts';

/** A request as it came over the wire to an instance. */
interface Recorded {
  readonly head: string;
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

export interface RecordingUpstream {
  readonly server: Server;
  /** Whole requests in the order of their ends. */
  readonly requests: readonly Recorded[];
  /** What is no request, or could be read as something else: nothing may ever be in it. */
  readonly faults: readonly string[];
}

const soundHead = /^[A-Z-]+ [\x21-\x7e]+ HTTP\/1\.[01]\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * Plays an instance on plain sockets, so that what arrives is known to the byte. Answers every whole request with `ok`, or with the bytes
 * of `answerTo`; `end` ends the connection after them.
 */
export function createRecordingUpstream(answerTo: (target: string) => Answer | undefined = () => undefined): RecordingUpstream {
  const requests: Recorded[] = [];
  const faults: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    record(socket, requests, faults, answerTo);
  });
  return { server, requests, faults };
}

interface Answer {
  readonly bytes: string;
  readonly end?: boolean;
}

function record(socket: Socket, requests: Recorded[], faults: string[], answerTo: (target: string) => Answer | undefined): void {
  let pending: Buffer = Buffer.alloc(0);
  let present: { readonly head: string; body: string; remaining: number; readonly decoder: ChunkedDecoder | undefined } | undefined;

  /** What is left when something has been read; undefined when more is needed. */
  const step = (data: Buffer): Buffer | undefined => {
    if (present === undefined) {
      const end = data.indexOf('\r\n\r\n');
      if (end === -1) return undefined;
      const head = data.toString('latin1', 0, end + 2);
      const fault = faultOf(head);
      if (fault !== undefined) faults.push(`${fault}: ${head}`);
      const length = Number(fieldsOf(head, 'content-length')[0] ?? 0);
      const decoder =
        fieldsOf(head, 'transfer-encoding').length > 0 ? new ChunkedDecoder({ headerBytes: 65_536, headerCount: 500 }) : undefined;
      if (/^expect:/im.test(head)) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      present = { head, body: '', remaining: length, decoder };
      return complete(data.subarray(end + 4));
    }
    return complete(data);
  };

  const complete = (data: Buffer): Buffer | undefined => {
    if (present === undefined) return data;
    const { decoder } = present;
    let rest = data;
    if (decoder === undefined) {
      const piece = data.subarray(0, present.remaining);
      present.body += piece.toString('latin1');
      present.remaining -= piece.length;
      rest = data.subarray(piece.length);
      if (present.remaining > 0) return undefined;
    } else {
      decoder.feed(data);
      for (let found = decoder.next(); found !== 'done'; found = decoder.next()) {
        if (found === 'data') present.body += decoder.chunk.toString('latin1');
        else if (found === 'more') return undefined;
        else {
          faults.push(`broken chunks after ${present.head}`);
          socket.destroy();
          return undefined;
        }
      }
      rest = data.subarray(decoder.rest);
    }
    const [method = '', target = ''] = present.head.split(' ', 2);
    requests.push({ head: present.head, method, target, body: present.body });
    present = undefined;
    const answer = answerTo(target) ?? { bytes: ok };
    socket.write(answer.bytes, 'latin1');
    if (answer.end === true) socket.end();
    return rest;
  };

  socket.on('data', (data: Buffer) => {
    let rest: Buffer | undefined = Buffer.concat([pending, data]);
    for (;;) {
      const waiting: Buffer = rest;
      rest = step(waiting);
      if (rest === undefined) {
        // Bytes of a body have been taken; those of a header wait for the rest of it.
        pending = present === undefined ? waiting : Buffer.alloc(0);
        return;
      }
      if (rest.length === 0) {
        pending = rest;
        return;
      }
    }
  });
}

function fieldsOf(head: string, name: string): readonly string[] {
  return head
    .split('\r\n')
    .slice(1)
    .filter((each) => each.toLowerCase().startsWith(`${name}:`))
    .map((each) => each.slice(name.length + 1).trim());
}

/** In what a header could be read in more than one way. */
function faultOf(head: string): string | undefined {
  const [lengths, codings, hosts] = ['content-length', 'transfer-encoding', 'host'].map((name) => fieldsOf(head, name)) as [
    readonly string[],
    readonly string[],
    readonly string[],
  ];
  if (!soundHead.test(head)) return 'not a sound header';
  if (hosts.length !== 1) return 'not one Host';
  if (lengths.length + codings.length > 1) return 'more than one field that frames';
  if (lengths.some((each) => !/^\d+$/.test(each)) || codings.some((each) => each.toLowerCase() !== 'chunked')) return 'odd framing';
  return undefined;
}
