import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeDurably } from '../../effects/files.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { createGatewayHome, type GatewayHome } from '../testing/gateway-home.ts';
import { ask } from '../testing/raw-client.ts';
import { backend, listening, routeOf } from '../testing/rig.ts';
import { parentId, traceId } from './testing/finished.ts';

let home: GatewayHome;
let servers: Server[] = [];
beforeEach(async () => {
  home = await createGatewayHome();
});
afterEach(async () => {
  await home.remove();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function serve(server: Server): Promise<number> {
  servers.push(server);
  return listening(server);
}

test('a gateway process writes its access log and sends its spans, and neither holds a secret', async () => {
  let spans = '';
  const collector = await serve(
    createServer((req, res) => {
      req.on('data', (chunk: Buffer) => (spans += chunk.toString()));
      req.on('end', () => res.end('{}'));
    }),
  );
  const port = await serve(createServer((_, res) => res.end('hello')));
  const { settings } = gatewayFiles(home.folder);
  const more = { accessLog: { sampleRate: 1 }, traces: { endpoint: `http://127.0.0.1:${collector}`, sampleRate: 1 } };
  await writeDurably(settings, JSON.stringify({ ...(JSON.parse(await readFile(settings, 'utf8')) as object), ...more }));
  const control = home.control();
  await control.start();
  await control.publish(routeOf({ backends: [backend('r1', 1, { a: port })] }));
  const url = new URL(await control.publicUrl('test'));
  await ask(Number(url.port), {
    path: '/orders?token=hunter2',
    headers: { authorization: 'Bearer hunter2', cookie: 'session=hunter2', traceparent: `00-${traceId}-${parentId}-01` },
  });
  await control.stop();

  const files = (await readdir(home.folder)).filter((name) => /^access-.*\.log$/.test(name));
  const log = (await Promise.all(files.map((name) => readFile(join(home.folder, name), 'utf8')))).join('');
  expect(JSON.parse(log)).toMatchObject({ trace: traceId, path: '/orders', service: 'app', release: 'r1', instance: 'a', status: 200 });
  expect(JSON.parse(spans)).toMatchObject({
    resourceSpans: [{ scopeSpans: [{ spans: [{ traceId, parentSpanId: parentId, name: 'GET app' }] }] }],
  });
  expect(log + spans).not.toContain('hunter2');
});
