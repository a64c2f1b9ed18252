import { expect, it } from 'vitest';
import type { Measured, SourceSettings } from './source.ts';
import { sourceFinding, sourceInWords } from './source-finding.ts';
import { foldMeasurement, newSourceState, nextKey, sourceStates } from './source-state.ts';

const source: SourceSettings = {
  name: 'tokens',
  ask: { type: 'prometheus', url: 'http://127.0.0.1:9090', query: 'tokens' },
  atMost: 100,
  intervalMs: 10_000,
  timeoutMs: 1_000,
  failures: 1,
  errors: 2,
};
const pass: Measured = { outcome: 'pass', value: 42 };
const fail: Measured = { outcome: 'fail', value: 130.123 };
const none: Measured = { outcome: 'no_data', said: 'the query finds nothing' };
const error: Measured = { outcome: 'error', said: 'connect ECONNREFUSED' };

const after = (...measured: readonly Measured[]) =>
  measured.reduce(
    (state, each, at) => foldMeasurement(state, 1, new Map([[nextKey(1, state), { at, measured: each }]])),
    newSourceState(source),
  );
const verdictAfter = (...measured: readonly Measured[]) => sourceFinding(source, after(...measured));

it.each<[string, readonly Measured[], string, string]>([
  ['nothing', [], 'inconclusive', 'tokens has not been measured yet'],
  ['a pass', [pass], 'pass', 'tokens passes'],
  ['a failure that is tolerated', [pass, fail], 'inconclusive', 'tokens failed once, of 1 tolerated'],
  ['a failure between passes', [fail, pass, fail, pass], 'pass', 'tokens passes'],
  ['failures in a row', [pass, fail, fail], 'fail', 'tokens failed 2 times in a row'],
  ['failures with errors between them', [fail, error, fail], 'fail', 'tokens failed 2 times in a row'],
  ['no data', [pass, none], 'inconclusive', 'tokens has no data: the query finds nothing'],
  ['no data for long', Array.from({ length: 50 }, () => none), 'inconclusive', 'tokens has no data: the query finds nothing'],
  ['an error that is tolerated', [pass, error], 'inconclusive', 'tokens could not be measured once, of 2 tolerated: connect ECONNREFUSED'],
  ['errors in a row', [pass, error, error, error], 'error', 'tokens could not be measured 3 times in a row: connect ECONNREFUSED'],
  ['errors that are over', [error, error, error, pass], 'pass', 'tokens passes'],
  ['only errors', Array.from({ length: 50 }, () => error), 'error', 'tokens could not be measured 50 times in a row: connect ECONNREFUSED'],
])('after %s', (_name, measured, verdict, because) => {
  expect(verdictAfter(...measured)).toMatchObject({ verdict, because });
});

it('tells the value, its bound and how every measurement ended', () => {
  expect(sourceInWords(verdictAfter(pass, fail, error, none, fail))).toBe(
    'tokens 130.1, at most 100: fail (prometheus, 1 passed, 2 failed, 1 without data, 1 in error)',
  );
});

it('counts a measurement once, however often it is seen, and none that was made for other settings or another candidate', () => {
  const first = newSourceState(source);
  const made = new Map([[nextKey(1, first), { at: 5, measured: pass }]]);
  const once = foldMeasurement(first, 1, made);
  expect(foldMeasurement(once, 1, made)).toBe(once);
  expect(foldMeasurement(first, 2, made)).toBe(first);
  const [changed] = sourceStates([{ ...source, atMost: 50 }], [once]);
  expect(changed?.counts.pass).toBe(0);
  expect(changed && foldMeasurement(changed, 1, made)).toBe(changed);
  expect(sourceStates([source], [once])).toEqual([once]);
});
