import { createServer, type IncomingMessage, request } from 'node:http';
import { connect, createServer as createRawServer, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as immediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { portOf } from '../../testing/raw-client.ts';
import { defaultLimits } from '../limits.ts';
import { UpstreamConnection } from '../upstream/connection.ts';
import { ChunkedDecoder } from './chunked.ts';
import { isKept, parseResponseHead, type ResponseHead } from './response-head.ts';
import { RequestReader } from '../front/request-reader.ts';
import { answers, inPieces, requests } from './testdata/messages.ts';

// What the strict parser of Node refuses is refused here too, and what both accept, both read alike. `npm run fuzz:wire` looks for so many
// minutes instead (SLUICE_FUZZ_MINUTES), and names the seed of what it finds.

const minutes = Number(process.env['SLUICE_FUZZ_MINUTES'] ?? 0);

/** A third of the time for each property, or so many runs. */
function runs(numRuns: number): { readonly numRuns: number; readonly interruptAfterTimeLimit?: number } {
  return minutes === 0 ? { numRuns } : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: minutes * 20_000 };
}

const options = { timeout: minutes === 0 ? 30_000 : minutes * 20_000 + 60_000 };

interface Read {
  readonly method: string;
  readonly headers: readonly string[];
  body: string;
  trailers: readonly string[];
}

const server = createServer((req, res) => {
  const read: Read = { method: req.method ?? '', headers: req.rawHeaders, body: 'not whole', trailers: [] };
  nodeRead.push(read);
  buffer(req).then(
    (body) => {
      read.body = body.toString('latin1');
      read.trailers = req.rawTrailers;
      res.end();
    },
    () => {},
  );
});
server.on('clientError', (_error, socket) => socket.destroy());
let nodeRead: Read[] = [];

/** Every whole request that Node reads of the bytes. */
async function readByNode(pieces: readonly Buffer[]): Promise<Read[]> {
  nodeRead = [];
  const [ours, theirs] = duplexPair();
  ours.on('error', () => {});
  ours.resume();
  server.emit('connection', theirs);
  for (const piece of pieces) ours.write(piece);
  // All of it happens in this process, some turns of the event loop later: a request takes two or three.
  for (let turn = 0, before = 0; turn < 8; turn += 1) {
    await immediate();
    if (nodeRead.length > before) turn = 0;
    before = nodeRead.length;
  }
  ours.destroy();
  theirs.destroy();
  return nodeRead;
}

/** And where the last of them ended. */
function readHere(pieces: readonly Buffer[]): { whole: Read[]; end: number } {
  const whole: Read[] = [];
  let current: Read | undefined;
  let isStopped = false;
  let isLast = false;
  const stop = (): void => {
    isStopped = true;
    reader.stop();
  };
  const finish = (trailers: readonly string[]): void => {
    if (current !== undefined) whole.push({ ...current, trailers });
    if (isLast) stop();
    else reader.next();
  };
  const socket = { pause: () => socket, resume: () => socket } as unknown as Socket;
  const reader: RequestReader = new RequestReader(socket, defaultLimits, {
    request: (parsed) => {
      if (parsed.outcome !== 'accepted') {
        stop();
        return;
      }
      current = { method: parsed.method, headers: parsed.fields.headers, body: '', trailers: [] };
      isLast = !isKept(parsed.fields.connection, parsed.minorVersion);
      if (parsed.body === 'none') finish([]);
    },
    bodyPiece: (piece) => {
      if (current !== undefined) current.body += piece.toString('latin1');
    },
    bodyEnd: (trailers) => finish(trailers),
    bodyBroken: stop,
    unparsable: stop,
    tooLarge: stop,
  });
  let end = 0;
  let given = 0;
  for (const piece of pieces) {
    const before = whole.length;
    if (!isStopped) reader.read(piece);
    given += piece.length;
    if (whole.length > before) end = given;
  }
  return { whole, end };
}

function eachByte(text: string): Buffer[] {
  return Array.from(Buffer.from(text, 'latin1'), (byte) => Buffer.from([byte]));
}

// What longer runs have found.
const tabAfterChunked = 'Transfer-Encoding: chunked\t\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n';
const foundRequests: [string, number[]][] = [[`POST / HTTP/1.1\r\nHost: h\r\n${tabAfterChunked}`, []]];
const foundAnswers: [string, 'GET' | 'HEAD'][] = [[`HTTP/1.1 200 OK\r\n${tabAfterChunked}`, 'GET']];

const cuts = fc.array(fc.nat(2_000), { maxLength: 4 });

test('a request that is accepted is one Node accepts, and both read the same', options, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(requests, cuts, async (text, places) => {
      // What follows on the last whole request is given to Node neither: it would drop the whole with the rest.
      const { whole, end } = readHere(eachByte(text));
      accepted += whole.length;
      expect(await readByNode(inPieces(text.slice(0, end), places))).toEqual(whole);
    }),
    { ...runs(3_000), examples: foundRequests },
  );
  expect(accepted).toBeGreaterThan(1_000);
});

test('how the bytes are cut makes no difference to what is read', options, () => {
  fc.assert(
    fc.property(requests, cuts, (text, places) => {
      const { whole } = readHere(inPieces(text, []));
      expect(readHere(inPieces(text, places)).whole).toEqual(whole);
      expect(readHere(eachByte(text)).whole).toEqual(whole);
    }),
    runs(1_000),
  );
});

// ---- answers

interface Answered {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

let bytes = '';
const raw = createRawServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
});
let port = 0;
beforeAll(async () => {
  port = await portOf(raw);
});
afterAll(() => {
  raw.close();
});

function answeredToNode(method: string): Promise<Answered | undefined> {
  return new Promise((resolve) => {
    const asked = request({ createConnection: () => connect(port, '127.0.0.1'), method, headers: { host: 'h' } });
    asked.on('error', () => resolve(undefined));
    asked.on('upgrade', (_res, socket) => {
      socket.destroy();
      resolve(undefined);
    });
    asked.on('response', (res: IncomingMessage) => {
      buffer(res).then(
        (body) =>
          resolve(res.complete ? { status: res.statusCode ?? 0, headers: res.rawHeaders, body: body.toString('latin1') } : undefined),
        () => resolve(undefined),
      );
    });
    asked.end();
  });
}

/** The text up to the end of the answer: what Node makes of bytes after it is no part of the comparison. */
function untilItsEnd(text: string, method: string): string {
  for (let from = 0; ; ) {
    const end = text.indexOf('\r\n\r\n', from);
    const head = parseResponseHead(text.slice(from, end + 2), method, defaultLimits.headerCount);
    from = end + 4;
    if (head === undefined || head.framing === 'close') return text;
    if (head.status < 200) continue;
    if (head.framing === 'none') return text.slice(0, from);
    if (head.framing === 'length') return text.slice(0, from + head.contentLength);
    const decoder = new ChunkedDecoder(defaultLimits);
    decoder.feed(Buffer.from(text.slice(from), 'latin1'));
    while (decoder.next() === 'data') continue;
    return text.slice(0, from + decoder.rest);
  }
}

function answeredHere(method: string): Promise<Answered | undefined> {
  return new Promise((resolve) => {
    let answer: ResponseHead | undefined;
    const done = (): void => resolve(answer && { status: answer.status, headers: answer.headers, body });
    let body = '';
    const owner = { idle: (connection: UpstreamConnection) => connection.drop(), closed: () => {} };
    const connection = new UpstreamConnection({ host: '127.0.0.1', port }, false, defaultLimits, owner);
    connection.assign({
      reached: () =>
        connection.send({ method, head: `${method} / HTTP/1.1\r\nhost: h\r\n\r\n`, body: 'none', mayContinue: false, maySwitch: false }),
      continued: () => {},
      hinted: () => {},
      answered: (head) => {
        answer = head;
      },
      answerBody: (chunk) => {
        body += chunk.toString('latin1');
      },
      answerEnd: done,
      readEnd: () => {},
      switched: () => resolve(undefined),
      upstreamDrained: () => {},
      broken: () => resolve(undefined),
    });
  });
}

test('an answer that is accepted is one Node accepts, and both read the same', options, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(answers, fc.constantFrom<'GET' | 'HEAD'>('GET', 'HEAD'), async (text, method) => {
      bytes = text;
      const here = await answeredHere(method);
      if (here === undefined) return;
      accepted += 1;
      bytes = untilItsEnd(text, method);
      expect(await answeredToNode(method)).toEqual(here);
    }),
    { ...runs(800), examples: foundAnswers },
  );
  expect(accepted).toBeGreaterThan(200);
});
