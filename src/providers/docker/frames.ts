import type { IncomingMessage } from 'node:http';

const headerBytes = 8;
/** Docker splits lines at 16 KiB: what is longer is no frame of it. */
const longestFrame = 4 * 1024 * 1024;

/**
 * The frames of a container's output: a header of eight bytes, of which the last four are the length (big-endian), and one line or a
 * part of it. All that has arrived at once is given at once. Throws for what is no such stream, or ends within a frame.
 */
export async function* readFrames(answer: IncomingMessage): AsyncGenerator<readonly Buffer[], void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Buffer[] = [];
    let at = 0;
    while (rest.length - at >= headerBytes) {
      const length = rest.readUInt32BE(at + 4);
      if (length > longestFrame) throw new Error('the output of the container cannot be read');
      if (rest.length - at < headerBytes + length) break;
      frames.push(rest.subarray(at + headerBytes, at + headerBytes + length));
      at += headerBytes + length;
    }
    rest = rest.subarray(at);
    if (frames.length > 0) yield frames;
  }
  if (rest.length > 0) throw new Error('the output of the container was cut off');
}
