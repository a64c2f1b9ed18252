import { createServer } from 'node:http';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../effects/clock.ts';
import { until } from '../testing/conditions.ts';
import { ask, portOf, type RawConnection, rawConnection } from './testing/raw-client.ts';
import { backend, createRig, type Rig } from './testing/rig.ts';

const open: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** An instance whose streams last as long as their path says, in ms, and whose WebSockets echo. */
async function instance(): Promise<{ readonly port: number; readonly came: string[] }> {
  const came: string[] = [];
  const server = createServer((req, res) => {
    came.push(req.url ?? '');
    const lasts = Number(req.url?.slice(1));
    res.write('begun ');
    void systemClock.sleep(lasts).then(() => res.end(`whole ${lasts}.`));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    came.push('WebSocket');
    socket.on('message', (data: Buffer) => socket.send(data.toString()));
  });
  const port = await portOf(server);
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port, came };
}

async function begunStreams(rig: Rig, lengths: readonly number[]): Promise<readonly RawConnection[]> {
  const streams = await Promise.all(lengths.map(() => rawConnection(rig.publicPort)));
  for (const [index, stream] of streams.entries()) stream.send(`GET /${lengths[index]} HTTP/1.1\r\nHost: app.test\r\n\r\n`);
  await Promise.all(streams.map((stream) => stream.receives('begun')));
  open.push(() => {
    for (const stream of streams) stream.socket.destroy();
  });
  return streams;
}

async function openWebSocket(rig: Rig): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${rig.publicPort}/`, { headers: { host: 'app.test' } });
  open.push(() => socket.terminate());
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

function echo(socket: WebSocket, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('message', (data: Buffer) => resolve(data.toString()));
    socket.once('close', () => reject(new Error('closed')));
    socket.send(word);
  });
}

const someLengths = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 });

test('an instance that drains gets nothing new, while all its streams and WebSockets go on to their own end', async () => {
  await fc.assert(
    fc.asyncProperty(someLengths, fc.integer({ min: 1, max: 20 }), async (lengths, later) => {
      const rig = await createRig();
      open.push(() => rig.close());
      const [old, fresh] = [await instance(), await instance()];
      await rig.route({ backends: [backend('r1', 1, { old: old.port })] });
      const streams = await begunStreams(rig, lengths);
      const socket = await openWebSocket(rig);
      const before = old.came.length;
      await rig.route({
        backends: [backend('r1', 1, { old: { port: old.port, draining: true } }), backend('r2', 1, { fresh: fresh.port })],
      });
      for (let index = 0; index < later; index += 1) expect((await ask(rig.publicPort, { path: '/0' })).status).toBe(200);
      for (const [index, stream] of streams.entries()) expect(await stream.receives('0\r\n\r\n')).toContain(`whole ${lengths[index]}.`);
      expect(await echo(socket, 'still here')).toBe('still here');
      expect(old.came).toHaveLength(before);
      expect(fresh.came).toHaveLength(later);
      expect(rig.inFlight('old')).toBe(1);
      socket.close();
      await until('nothing to be in flight', () => rig.inFlight('old') === 0);
    }),
    { numRuns: 4, seed: 11 },
  );
});

test('a gateway that drains cuts nothing before the deadline and everything at it, and accepts nothing new', async () => {
  await fc.assert(
    fc.asyncProperty(someLengths, async (lengths) => {
      const rig = await createRig();
      open.push(() => rig.close());
      const upstream = await instance();
      await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
      // What lasts far beyond the deadline keeps it waiting until then.
      const streams = await begunStreams(rig, [...lengths, 60_000]);
      const socket = await openWebSocket(rig);
      const closed = new Promise<void>((resolve) => {
        socket.once('close', () => resolve());
      });
      const deadlineMs = 900;
      const began = performance.now();
      const drained = rig.gateway.drain(deadlineMs);
      await expect(ask(rig.publicPort, { path: '/0' })).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
      expect(await echo(socket, 'still here')).toBe('still here');
      for (const [index, stream] of streams.entries()) {
        if (index < lengths.length) await stream.receives(`whole ${lengths[index]}.`);
      }
      await Promise.all([drained, closed]);
      expect(performance.now() - began).toBeGreaterThanOrEqual(deadlineMs - 5);
      expect(await (streams.at(-1) as RawConnection).closed()).not.toContain('whole');
      expect(upstream.came).toHaveLength(lengths.length + 2);
    }),
    { numRuns: 2, seed: 12 },
  );
});
