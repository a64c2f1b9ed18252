import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { testPort } from '../../testing/test-port.ts';
import { until } from '../../testing/conditions.ts';
import { rawConnection, type RawConnection } from '../testing/raw-client.ts';
import { backend, createRig, type Rig } from '../testing/rig.ts';

/** Every way a request can end. */
const endings = [
  'answered',
  'client leaves before the answer',
  'client leaves within the answer',
  'client leaves within its body',
  'instance breaks off before the answer',
  'instance breaks off within the answer',
  'socket closed by the client',
  'socket closed by the instance',
  'socket reset by the client',
  'client breaks the framing of its body',
] as const;
type Ending = (typeof endings)[number];

let rig: Rig;
let ports: number[] = [];
const held = new Map<string, ServerResponse>();
const sockets = new Map<string, WebSocket>();

beforeAll(async () => {
  rig = await createRig();
  for (let index = 0; index < 2; index += 1) {
    const { server, port } = await rig.serve((req, res) => {
      held.set(req.url ?? '', res);
      req.resume();
      if (req.url?.endsWith('within')) res.write('begin');
    });
    const accept = new WebSocketServer({ noServer: true });
    server.on('upgrade', (req, socket, head) => accept.handleUpgrade(req, socket, head, (ws) => sockets.set(req.url ?? '', ws)));
    ports.push(port);
  }
});
afterAll(() => rig.close());

const total = (): number => rig.gateway.report().instances.reduce((sum, instance) => sum + instance.inFlight, 0);

let sequence = 0;

/** Begins a request that an instance holds; the result ends it in its way. */
async function begin(ending: Ending): Promise<() => Promise<void>> {
  sequence += 1;
  const path = `/${sequence}${ending.includes('within the answer') ? '-within' : ''}`;
  const connection = await rawConnection(rig.publicPort);
  const isSocket = ending.startsWith('socket');
  const hasBody = ending.includes('body');
  const extra = isSocket
    ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    : hasBody
      ? 'Transfer-Encoding: chunked\r\n'
      : '';
  connection.send(`${hasBody ? 'POST' : 'GET'} ${path} HTTP/1.1\r\nHost: app.test\r\n${extra}\r\n${hasBody ? '2\r\nab\r\n' : ''}`);
  if (isSocket) await connection.receives('101 Switching');
  await until('an instance to have it', () => (isSocket ? sockets.has(path) : held.has(path)));
  if (ending.includes('within the answer')) await connection.receives('begin');
  return () => finish(ending, path, connection);
}

async function finish(ending: Ending, path: string, connection: RawConnection): Promise<void> {
  const response = held.get(path);
  if (ending === 'answered') {
    response?.end('done');
    await connection.receives(/done/);
  } else if (ending.startsWith('instance breaks off')) {
    let told = false;
    const answer = connection.receives(/502 |begin/).then(() => (told = true));
    // A request that met a reused connection is tried again, and comes to an instance once more.
    await until('the client to be told', () => {
      held.get(path)?.socket?.destroy();
      return told;
    });
    await answer;
  } else if (ending === 'client breaks the framing of its body') {
    connection.send('zz\r\n');
    await connection.receives(/400 /);
  } else if (ending === 'socket closed by the instance') {
    sockets.get(path)?.terminate();
    await connection.closed();
  } else if (ending === 'socket reset by the client') {
    connection.socket.resetAndDestroy();
  }
  connection.socket.destroy();
}

test('the in-flight count is exact during and zero after any mix of endings and tables', async () => {
  const tables = [
    (): unknown => rig.route({ backends: [backend('r1', 1, { a: ports[0] as number, b: ports[1] as number })] }),
    (): unknown => rig.route({ backends: [backend('r1', 1, { a: { port: ports[0] as number, draining: true }, b: ports[1] as number })] }),
    (): unknown => rig.route({ backends: [backend('r2', 1, { a: ports[0] as number })] }),
  ];
  const steps = fc.array(fc.record({ ending: fc.constantFrom(...endings), table: fc.nat(2), later: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const open: (() => Promise<void>)[] = [];
      for (const { ending, table, later } of plan) {
        await tables[table]?.();
        const end = await begin(ending);
        open.push(end);
        expect(total()).toBe(open.length);
        expect(rig.gateway.report().inFlight).toBe(open.length);
        if (later) continue;
        await (open.shift() as () => Promise<void>)();
        await until('one less in flight', () => total() === open.length);
      }
      await tables[0]?.();
      await Promise.all(open.map((end) => end()));
      await until('nothing in flight', () => total() === 0 && rig.gateway.report().inFlight === 0);
    }),
    { numRuns: 15 },
  );
});

test('attempts on unreachable instances leave nothing behind', async () => {
  const dead = await testPort();
  await rig.route({ backends: [backend('r1', 1, { x: dead, y: dead, a: ports[0] as number })] });
  const end = await begin('answered');
  expect(rig.gateway.report().instances.map(({ id, inFlight }) => [id, inFlight])).toEqual(
    expect.arrayContaining([
      ['x', 0],
      ['y', 0],
      ['a', 1],
    ]),
  );
  await end();
  await until('nothing in flight', () => rig.inFlight('a') === 0);
});
