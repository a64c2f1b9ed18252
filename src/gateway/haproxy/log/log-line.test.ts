import { expect, test } from 'vitest';
import { parseLogLine } from './log-line.ts';
import { logSampling, weightAt } from './sampling.ts';

const id = '00c538cc7653e12883cbae9efae41523';
const lineOf = (fields: Record<string, string | number> = {}): string =>
  Object.values({
    path: '+s0/i1',
    head: 1_795_346_864_003_000,
    end: 1_795_346_864_010_500,
    status: 200,
    in: 89,
    out: 320,
    state: '--',
    retries: 0,
    waited: 0,
    headMs: 2,
    totalMs: 10,
    id,
    client: '127.0.0.1',
    method: 'GET',
    told: '1795346864000250,17,app.test:80',
    target: '/a/b',
    ...fields,
  }).join(' ');

test('a request that was drawn has times in microseconds', () => {
  expect(parseLogLine(lineOf())).toEqual({
    path: 's0/i1',
    status: 200,
    ending: 'answered',
    firstByteMs: 2.75,
    totalMs: 10.25,
    queuedMs: 0,
    bytesIn: 89,
    bytesOut: 320,
    retries: 0,
    requestId: id,
    clientAddress: '127.0.0.1',
    method: 'GET',
    target: '/a/b',
    drawn: { rate: 17, host: 'app.test:80' },
  });
});

test('an error that was not drawn has those of HAProxy, and no more is known of it', () => {
  const line = parseLogLine(lineOf({ told: '-', status: 500 }));
  expect(line).toMatchObject({ status: 500, ending: 'answered', firstByteMs: 2, totalMs: 10, drawn: undefined });
});

test.each([
  ['SC', 503, 'failed', 502],
  ['sC', 503, 'failed', 502],
  ['sH', 504, 'failed', 504],
  ['SH', 502, 'failed', 502],
  ['SD', 200, 'aborted', 200],
  ['sD', 200, 'aborted', 200],
  ['CD', 200, 'abandoned', 200],
  ['cD', 200, 'abandoned', 200],
  ['CH', -1, 'abandoned', 0],
  ['PR', 403, 'refused', 403],
  ['--', 503, 'answered', 503],
])('what ended by %s with %d is %s', (state, status, ending, told) => {
  expect(parseLogLine(lineOf({ state, status, head: '-', headMs: -1, retries: '+2' }))).toMatchObject({
    ending,
    status: told,
    firstByteMs: 0,
    retries: 2,
  });
});

test('what is no line, or was cut, is none', () => {
  for (const text of ['', 'Proxy l0 started.', lineOf().slice(0, 90), `${lineOf()} more`]) expect(parseLogLine(text)).toBeUndefined();
});

const weights = (share: number): number[] => [1, 128, 129, 513, 2_049, 8_193].map((rate) => weightAt(rate, logSampling(share)));

test('one that was drawn stands for those that were not, and no draw is rarer than the log needs', () => {
  expect(weights(0)).toEqual([1, 1, 4, 16, 64, 256]);
  expect(weights(0.05)).toEqual([1, 1, 4, 16, 16, 16]);
  expect(weights(1)).toEqual([1, 1, 1, 1, 1, 1]);
});
