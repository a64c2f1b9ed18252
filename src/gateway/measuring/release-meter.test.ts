import { expect, test } from 'vitest';
import { createReleaseMeter } from './release-meter.ts';
import { finished } from './testing/finished.ts';

const owner = { environment: 'test', service: 'app', release: 'r1' };

test('a meter counts what happened, by class of status and by ending', () => {
  const meter = createReleaseMeter(owner);
  for (let count = 0; count < 6; count += 1) meter.begin();
  meter.end(finished({ retries: 2, queuedMs: 3.4 }));
  meter.end(finished({ status: 404 }));
  meter.end(finished({ status: 503, ending: 'failed' }));
  meter.end(finished({ ending: 'aborted' }));
  meter.end(finished({ status: 0, ending: 'abandoned' }));
  meter.ejected();
  expect(meter.snapshot()).toMatchObject({
    ...owner,
    inFlight: 1,
    requests: 5,
    errors: 2,
    statuses: { none: 1, '1xx': 0, '2xx': 2, '3xx': 0, '4xx': 1, '5xx': 1 },
    endings: { answered: 2, failed: 1, aborted: 1, abandoned: 1, refused: 0, cached: 0, switched: 0 },
    retries: 2,
    ejections: 1,
    bytesIn: 500,
    bytesOut: 5_000,
    queued: 1,
    queuedMs: 3,
  });
});

test('refused and cached requests are no errors and no longer in flight once they have ended', () => {
  const meter = createReleaseMeter(owner);
  meter.begin();
  meter.begin();
  meter.end(finished({ status: 429, ending: 'refused' }));
  meter.end(finished({ ending: 'cached' }));
  expect(meter.snapshot()).toMatchObject({ inFlight: 0, requests: 2, errors: 0 });
});

test('latency is that of answered, failed and broken-off requests', () => {
  const meter = createReleaseMeter(owner);
  for (const ending of ['answered', 'failed', 'aborted', 'abandoned', 'refused', 'cached', 'switched'] as const) {
    meter.end(finished({ ending }));
  }
  const { total, firstByte } = meter.snapshot();
  expect([total.count, total.sumMicros]).toEqual([3, 30_000]);
  expect([firstByte.count, firstByte.sumMicros]).toEqual([2, 10_000]);
});

test('a snapshot is a plain value that goes to another process as it is', () => {
  const meter = createReleaseMeter(owner);
  meter.end(finished());
  const snapshot = meter.snapshot();
  expect(structuredClone(snapshot)).toEqual(snapshot);
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
});
