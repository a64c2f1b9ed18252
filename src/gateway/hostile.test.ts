import { existsSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { type Attack, busyClients, connectionFlood, hugeHeaders, requests, silent, slowloris } from './testing/attacks.ts';
import { createGatewayProcesses, type GatewayProcesses } from './testing/gateway-processes.ts';
import { portOf } from './testing/raw-client.ts';
import { backend } from './testing/rig.ts';

let gateway: GatewayProcesses;
const bystander = createServer((_req, res) => res.end('ok'));

beforeAll(async () => {
  gateway = await createGatewayProcesses((req, res) => {
    if (req.url === '/hangs') return;
    if (req.url === '/resets') req.socket.resetAndDestroy();
    else if (req.url === '/large') res.end(Buffer.alloc(5_000_000));
    else if (req.url === '/trickles') {
      res.writeHead(200);
      const timer = setInterval(() => res.write('a'), 10);
      res.on('close', () => clearInterval(timer));
    } else res.end('ok');
  });
  await gateway.start();
  await gateway.route(
    { backends: [backend('r1', 1, { a: gateway.upstreamPort })] },
    { name: 'other', expose: [{ host: 'other.test', path: '/' }], backends: [backend('r1', 1, { b: await portOf(bystander) })] },
  );
});
afterAll(async () => {
  await gateway.remove();
  bystander.close();
  bystander.closeAllConnections();
});

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`;

const attacks: readonly (readonly [string, (port: number) => Attack])[] = [
  ['2,000 clients that never end their header', (port) => slowloris(port, 2_000)],
  ['a flood of connections', (port) => connectionFlood(port, 50)],
  ['headers of a megabyte', (port) => hugeHeaders(port, 10)],
  ['1,000 connections that say nothing', (port) => silent(port, 1_000, '')],
  [
    '500 clients that do not send the body they promised',
    (port) => silent(port, 500, 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nabc'),
  ],
  ['100 clients that do not read their large answer', (port) => silent(port, 100, get('/large'))],
  ['500 clients that ask without pause', (port) => busyClients(port, 500)],
  ['500 requests to an instance that hangs', (port) => requests(port, 500, '/hangs')],
  ['requests to an instance that resets', (port) => requests(port, 20, '/resets')],
  ['300 requests to an instance that trickles', (port) => requests(port, 300, '/trickles')],
];

interface Seen {
  readonly failures: readonly string[];
  /** Processor time of the gateway between a request and its answer: what it had to do first. Waiting for a busy machine is not in it. */
  readonly medianWorkMs: number;
}

/** Processor time (ms) that the gateway's event loops have used; the clock where the system does not tell. */
async function createWorkClock(): Promise<() => number> {
  const files = (await gateway.workers()).map(({ pid }) => `/proc/${pid}/schedstat`);
  if (!files.every((file) => existsSync(file))) return () => performance.now();
  return () => files.reduce((sum, file) => sum + Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6, 0);
}

/** Of both workers together, one of which has the request. */
const mostWorkMs = 100;
const fewestAsked = 5;

/** Requests to the other service, one after the other, for a while. */
async function askBystander(forMs: number): Promise<Seen> {
  const failures: string[] = [];
  const works: number[] = [];
  const work = await createWorkClock();
  const until = performance.now() + forMs;
  while (performance.now() < until || works.length + failures.length < fewestAsked) {
    const began = work();
    const outcome = await once();
    if (outcome === 'ok') works.push(work() - began);
    else failures.push(outcome);
  }
  return { failures, medianWorkMs: works.toSorted((left, right) => left - right)[works.length >> 1] ?? Number.POSITIVE_INFINITY };
}

function once(): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port: gateway.publicPort, agent: false, headers: { host: 'other.test' } });
    asked.on('error', (error) => resolve(error.message));
    asked.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? 'ok' : String(response.statusCode)));
    });
    asked.end();
  });
}

describe('another service answers as before during', () => {
  test.each(attacks)('%s', async (_name, begin) => {
    const attack = begin(gateway.publicPort);
    try {
      await systemClock.sleep(50);
      const during = await askBystander(400);
      expect(during.failures).toEqual([]);
      expect(during.medianWorkMs).toBeLessThan(mostWorkMs);
    } finally {
      attack.stop();
    }
    expect((await askBystander(50)).failures).toEqual([]);
  });
});
