import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { silentLog } from '../log.ts';
import { type ObserverSettings, observerSettings } from './observer-settings.ts';
import { openObserver } from './open-observer.ts';
import { createOtlpExporter, type OtlpOptions, type OtlpSpan } from './otlp.ts';
import { createSpans } from './spans.ts';
import { about, finished, parentId, traceId } from './testing/finished.ts';

interface Received {
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly spans: readonly OtlpSpan[];
  readonly resource: unknown;
}

/** A collector that answers with these statuses, then with 200. */
let server: Server;
let received: Received[];
let statuses: number[];
beforeEach(async () => {
  received = [];
  statuses = [];
  server = createServer((req, res) => {
    let text = '';
    req.on('data', (chunk: Buffer) => (text += chunk.toString()));
    req.on('end', () => {
      const [only] = (JSON.parse(text) as { resourceSpans: { resource: unknown; scopeSpans: { spans: OtlpSpan[] }[] }[] }).resourceSpans;
      received.push({ url: req.url, headers: req.headers, spans: only?.scopeSpans[0]?.spans ?? [], resource: only?.resource });
      res.writeHead(statuses.shift() ?? 200).end('{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const failures: string[] = [];
const now = 1_800_000_000_000;

function spansOf(options: Partial<OtlpOptions> = {}, sampleRate = 1) {
  failures.length = 0;
  const exporter = createOtlpExporter({
    url: `${base()}/v1/traces`,
    headers: {},
    resource: {},
    onError: (reason) => failures.push(reason),
    ...options,
  });
  return { exporter, ...createSpans({ exporter, clock: { now: () => now }, identifier: () => 'a1b2c3d4e5f60718', sampleRate }) };
}

const allSpans = (): readonly OtlpSpan[] => received.flatMap(({ spans }) => spans);

test('a span says what the gateway saw, as a child of the client and without the query', async () => {
  const spans = spansOf();
  spans.observe(finished({ status: 503, ending: 'failed', totalMs: 20, retries: 2 }), about());
  await spans.close();
  expect(allSpans()).toMatchObject([
    {
      traceId,
      spanId: 'a1b2c3d4e5f60718',
      parentSpanId: parentId,
      name: 'GET app',
      kind: 2,
      startTimeUnixNano: '1799999999980000000',
      endTimeUnixNano: '1800000000000000000',
      status: { code: 2 },
    },
  ]);
  expect(allSpans()[0]?.attributes).toContainEqual({ key: 'url.path', value: { stringValue: '/orders/7' } });
  expect(allSpans()[0]?.attributes).toContainEqual({ key: 'http.response.status_code', value: { intValue: '503' } });
  expect(allSpans()[0]?.attributes).toContainEqual({ key: 'http.request.resend_count', value: { intValue: '2' } });
  expect(JSON.stringify(received)).not.toContain('hunter2');
});

test('a trace that began at the gateway has its span as the root', async () => {
  const spans = spansOf();
  spans.observe(finished(), about({ startsTrace: true }));
  await spans.close();
  expect(allSpans()).toMatchObject([{ spanId: parentId, status: { code: 0 } }]);
  expect(allSpans()[0]).not.toHaveProperty('parentSpanId');
});

function traced(id: string, flags: string) {
  return about({ traceparent: `00-${id}-${parentId}-${flags}` });
}

test('traces not marked as sampled are left out, and of the others a share by their id', async () => {
  const spans = spansOf({}, 0.5);
  const [low, high] = [`${'0'.repeat(18)}1${'0'.repeat(13)}`, `${'0'.repeat(18)}f${'0'.repeat(13)}`];
  for (const [id, flags] of [
    [low, '00'],
    [low, '01'],
    [high, '01'],
    [low, '03'],
  ] as const) {
    spans.observe(finished(), traced(id, flags));
  }
  await spans.close();
  expect(allSpans().map((span) => span.traceId)).toEqual([low, low]);
});

test('spans go in batches, and what a collector cannot take for the moment is sent once more', async () => {
  statuses = [503];
  const spans = spansOf({ maxBatch: 2 });
  for (let count = 0; count < 5; count += 1) spans.observe(finished(), about());
  await until('the full batches', () => received.length >= 2);
  await spans.close();
  expect(received.map((each) => each.spans.length)).toEqual([2, 2, 2, 1]);
  expect([spans.exporter.dropped(), failures]).toEqual([0, []]);
});

test('a collector that refuses or is away costs spans, counted and told once, and memory never', async () => {
  statuses = [400];
  const spans = spansOf({ maxBatch: 2, maxQueued: 4 });
  for (let count = 0; count < 10; count += 1) spans.observe(finished(), about());
  await spans.close();
  expect(received[0]?.spans).toHaveLength(2);
  expect(failures).toEqual(['status 400']);
  expect(spans.exporter.dropped() + received.slice(1).flatMap((each) => each.spans).length).toBe(10);
  const away = spansOf({ url: 'http://127.0.0.1:9/v1/traces' });
  away.observe(finished(), about());
  await away.close();
  expect([away.exporter.dropped(), failures]).toEqual([1, ['fetch failed']]);
});

async function opened(settings: ObserverSettings, environment: Record<string, string>): Promise<Received | undefined> {
  const observer = openObserver({
    folder: tmpdir(),
    worker: '1',
    settings: { accessLog: 'off', ...settings },
    environment,
    clock: { now: () => now },
    random: { next: () => 0 },
    identifier: () => parentId,
    log: silentLog,
    version: '1.2.3',
  });
  observer?.observe(finished(), about());
  await observer?.close();
  return received.at(-1);
}

test('the endpoint is that of the settings, else that of OpenTelemetry, with its headers', async () => {
  expect(await opened({}, {})).toBeUndefined();
  expect(await opened({}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///etc/passwd' })).toBeUndefined();
  const settings = observerSettings.parse({ traces: { endpoint: `${base()}/collector/`, sampleRate: 1 } });
  expect(await opened(settings, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9' })).toMatchObject({
    url: '/collector/v1/traces',
    resource: { attributes: expect.arrayContaining([{ key: 'service.name', value: { stringValue: 'sluice-gateway' } }]) },
  });
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: base(),
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, bad name=1,x-tenant=a',
  };
  expect(await opened(observerSettings.parse({ traces: { sampleRate: 1 } }), environment)).toMatchObject({
    url: '/v1/traces',
    headers: { authorization: 'Bearer x', 'x-tenant': 'a' },
  });
});
