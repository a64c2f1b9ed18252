import { describe, expect, it } from 'vitest';
import { age, duration } from './duration.ts';

describe('durations', () => {
  it.each([
    [0, '0.0s'],
    [940, '0.9s'],
    [9_949, '9.9s'],
    [9_960, '10s'],
    [59_400, '59s'],
    [59_600, '1m 00s'],
    [185_000, '3m 05s'],
    [7_800_000, '2h 10m'],
    [442_800_000, '5d 3h'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  it('are ages in one unit, never negative and empty for what is no time', () => {
    const now = Date.parse('2026-11-22T12:00:00.000Z');
    expect(age('2026-11-22T11:59:52.000Z', now)).toBe('8s');
    expect(age('2026-11-22T10:00:00.000Z', now)).toBe('2h');
    expect(age('2026-11-17T12:00:00.000Z', now)).toBe('5d');
    expect(age('2026-11-22T12:00:09.000Z', now)).toBe('0s');
    expect(age('yesterday', now)).toBe('');
  });
});
