import { expect, test } from 'vitest';
import { createFrontCounts } from './front-counts.ts';
import type { InstanceStats } from './process/server-stats.ts';

const of = { environment: 'test', service: 'app', release: 'r1' };
const row = (path: string, ok: number, more: Partial<InstanceStats> = {}): InstanceStats => ({
  path,
  of,
  instance: path,
  inFlight: 0,
  queued: 0,
  requests: ok,
  bytesIn: 0,
  bytesOut: ok * 10,
  retries: 0,
  failedConnections: 0,
  failedAnswers: 0,
  byClass: { 1: 0, 2: ok, 3: 0, 4: 0, 5: 0 },
  ...more,
});

test('what servers of several processes have counted is added up by release, and never goes back', () => {
  const counted = createFrontCounts(() => 0);
  counted.observe('p1', [row('s0/a', 5, { inFlight: 2 }), row('s0/b', 1)]);
  counted.observe('p1', [row('s0/a', 7, { inFlight: 1 })]);
  counted.observe('p2', [row('s0/a', 3, { inFlight: 4 })]);
  // Another server by the same name, and one of a process that is gone.
  counted.observe('p2', [row('s0/a', 1)]);
  const [release] = counted.counts().releases;
  expect(release).toMatchObject({ ...of, requests: 12, bytesOut: 120, inFlight: 1, statuses: { '2xx': 12, '5xx': 0 }, errors: 0 });
});

test('a request that found no instance, or got no answer, has failed with an answer of HAProxy', () => {
  const counted = createFrontCounts(() => 0);
  counted.observe('p1', [row('s0/a', 2, { failedConnections: 1, failedAnswers: 1, retries: 3 })]);
  expect(counted.counts().releases).toMatchObject([
    { requests: 4, errors: 2, retries: 3, statuses: { '2xx': 2, '5xx': 2 }, endings: { answered: 2, failed: 2 } },
  ]);
});

test('a release that left the table long ago is forgotten', () => {
  let now = 0;
  const counted = createFrontCounts(() => now);
  const table = { version: 1, listeners: [], services: [] };
  counted.observe('p1', [row('s0/a', 1)]);
  counted.follow(table);
  now = 3_600_000;
  counted.follow(table);
  expect(counted.counts().releases).toEqual([]);
});
