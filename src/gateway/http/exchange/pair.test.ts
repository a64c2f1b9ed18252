import { expect, test } from 'vitest';
import { seededRandom } from '../../../effects/random.ts';
import type { CopiedPair, Finished } from '../../measuring/meter.ts';
import { finished } from '../../measuring/testing/finished.ts';
import { Pair } from './pair.ts';

const none = Number.POSITIVE_INFINITY;

function counting(): { readonly pair: Pair; readonly counted: CopiedPair[] } {
  const counted: CopiedPair[] = [];
  return { pair: new Pair('r1', (each) => counted.push(each)), counted };
}

test('a pair is counted once, when both halves have ended, in whichever order', () => {
  for (const order of ['original first', 'copy first']) {
    const { pair, counted } = counting();
    if (order === 'copy first') pair.copyEnded({ isError: true, totalMs: 7 });
    pair.originalEnded(finished({ totalMs: 5 }));
    expect(counted).toHaveLength(order === 'copy first' ? 1 : 0);
    pair.copyEnded({ isError: true, totalMs: 7 });
    expect(counted).toEqual([{ release: 'r1', original: { isError: false, totalMs: 5 }, copy: { isError: true, totalMs: 7 } }]);
    expect(pair.isOver).toBe(true);
  }
});

test.each<[string, Partial<Finished>, boolean]>([
  ['was refused at the door', { ending: 'refused', status: 429 }, false],
  ['was answered by another release', { by: 'override' }, false],
  ['was left by its client while both were under way', { ending: 'abandoned' }, false],
  ['could not be answered', { ending: 'failed', status: 502 }, true],
  ['broke off', { ending: 'aborted' }, true],
])('one whose request %s', (_, partial, isCounted) => {
  const { pair, counted } = counting();
  pair.originalEnded(finished(partial));
  pair.copyEnded({ isError: false, totalMs: 1 });
  expect(counted.map(({ original }) => original.isError)).toEqual(isCounted ? [true] : []);
});

test('a client that leaves after the copy had answered was kept waiting by its request', () => {
  const { pair, counted } = counting();
  pair.copyEnded({ isError: false, totalMs: 20 });
  pair.originalEnded(finished({ ending: 'abandoned', totalMs: 50 }));
  expect(counted).toMatchObject([{ original: { isError: true, totalMs: none }, copy: { isError: false, totalMs: 20 } }]);
});

test('either half has failed that lasts 30 s and ten times as long as the other', () => {
  const { pair } = counting();
  pair.originalEnded(finished({ totalMs: 5_000 }));
  expect([pair.hasLost(49_999), pair.hasLost(50_001)]).toEqual([false, true]);
  const other = counting();
  expect(other.pair.hasLost(none)).toBe(false);
  other.pair.copyEnded({ isError: false, totalMs: 10 });
  other.pair.originalEnded(finished({ totalMs: 30_001 }));
  expect(other.counted).toMatchObject([{ original: { isError: true } }]);
});

/** The same release twice: slow at times, failing at times, most often when slow; clients of every patience, who hear one half only. */
test('between releases that do not differ the copy is never blamed more often, however impatient the clients', () => {
  const random = seededRandom(11);
  const events = { failed: [0, 0], slow: [0, 0] };
  for (let request = 0; request < 20_000; request += 1) {
    const draw = () => {
      const totalMs = -100 * Math.log(1 - random.next()) * (random.next() < 0.05 ? 20 : 1);
      return { totalMs, isError: random.next() < (totalMs > 300 ? 0.3 : 0.02) };
    };
    const [original, copy, patience] = [draw(), draw(), random.next() < 0.5 ? 150 + 400 * random.next() : none];
    const pair = new Pair('r1', ({ original: one, copy: two }) => {
      for (const [at, half] of [one, two].entries()) {
        events.failed[at] = (events.failed[at] ?? 0) + Number(half.isError);
        events.slow[at] = (events.slow[at] ?? 0) + Number(half.totalMs > 250);
      }
    });
    const endedAt = Math.min(original.totalMs, patience);
    if (copy.totalMs <= endedAt) pair.copyEnded(copy);
    pair.originalEnded(
      original.totalMs > patience
        ? finished({ ending: 'abandoned', totalMs: patience })
        : finished({ totalMs: original.totalMs, status: original.isError ? 500 : 200 }),
    );
    if (copy.totalMs > endedAt) pair.copyEnded(copy);
  }
  for (const [ofOriginals, ofCopies] of [events.failed, events.slow]) {
    // Three standard deviations of the difference of counts of this size.
    expect((ofCopies ?? 0) - (ofOriginals ?? 0)).toBeLessThan(3 * Math.sqrt((ofCopies ?? 0) + (ofOriginals ?? 0)));
    expect(ofCopies).toBeGreaterThan(100);
  }
});
