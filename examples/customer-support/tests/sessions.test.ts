import { describe, expect, it } from 'vitest';
import { createSessions, type Turn } from '../agents/conversation/sessions.ts';

const turn = (id: string): Turn => ({ id, at: '2026-11-22T00:00:00.000Z', message: id, answer: id, decision: 'answer' });

describe('sessions', () => {
  const settings = { key: 'k'.repeat(32), maximum: 2, ttlMs: 1_000, now: () => 0 };

  it('know the sessions of every copy with the same key, and of no other', () => {
    const { id, token } = createSessions(settings).create();
    expect(createSessions(settings).verify(token)).toBe(id);
    expect(createSessions({ ...settings, key: 'x'.repeat(32) }).verify(token)).toBeUndefined();
    expect(createSessions(settings).verify(`${token}x`)).toBeUndefined();
    expect(createSessions(settings).verify('')).toBeUndefined();
  });

  it('forget the one that was used longest ago when there are too many', () => {
    const sessions = createSessions(settings);
    for (const id of ['a', 'b', 'a', 'c']) sessions.remember(id, turn(id));
    expect(['a', 'b', 'c'].map((id) => sessions.turns(id).length)).toEqual([2, 0, 1]);
  });

  it('forget what was not used for the time to live', () => {
    let now = 0;
    const sessions = createSessions({ ...settings, now: () => now });
    sessions.remember('a', turn('1'));
    now = 999;
    expect(sessions.turns('a')).toHaveLength(1);
    now = 1_000;
    expect(sessions.turns('a')).toEqual([]);
  });

  it('keep the last 10 turns', () => {
    const sessions = createSessions(settings);
    for (let index = 0; index < 25; index += 1) sessions.remember('a', turn(String(index)));
    expect(sessions.turns('a').map(({ id }) => Number(id))).toEqual(Array.from({ length: 10 }, (_, index) => index + 15));
  });

  it('refuse a key that is too short to protect anything', () => {
    expect(() => createSessions({ ...settings, key: 'short' })).toThrow('at least 32 characters');
  });
});
