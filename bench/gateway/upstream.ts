// node upstream.ts PORT_A PORT_B [--stream-only]   What stands behind every proxy where nginx is missing, behind all of them for streams, and where it matters when
//                                                  a request came: `/received` is answered with the moment of the last one before it.
import { createServer } from 'node:net';

const headEnd = '\r\n\r\n';
const kinds = { small: 200, large: 16_384 } as const;

function answerOf(letter: string, length: number): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${length}${headEnd}${letter.repeat(length)}`);
}

/** A stream: the first event at once, the last one after `streamMs`. */
const streamMs = 60;
const event = Buffer.from('8\r\ndata: x\n\r\n');
const streamHead = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked${headEnd}`);

for (const [index, letter] of ['a', 'b'].entries()) {
  const [small, large] = [answerOf(letter, kinds.small), answerOf(letter, kinds.large)];
  // Of the clock that all processes of a machine share.
  let receivedAt = 0n;
  createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    let pending = '';
    socket.on('data', (data: Buffer) => {
      pending += data.toString('latin1');
      for (let at = pending.indexOf(headEnd); at !== -1; at = pending.indexOf(headEnd)) {
        const target = pending.slice(pending.indexOf(' ') + 1, pending.indexOf('\r'));
        pending = pending.slice(at + 4);
        if (target.startsWith('/received')) {
          const text = String(receivedAt);
          socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}${headEnd}${text}`);
          continue;
        }
        if (target.startsWith('/small')) receivedAt = process.hrtime.bigint();
        if (target.startsWith('/large')) socket.write(large);
        else if (!target.startsWith('/stream')) socket.write(small);
        else {
          socket.write(Buffer.concat([streamHead, event]));
          setTimeout(() => socket.write(Buffer.concat([event, Buffer.from('0\r\n\r\n')])), streamMs);
        }
      }
    });
  }).listen(Number(process.argv[2 + index]), '127.0.0.1', 8_192);
}
