import { describe, expect, it } from 'vitest';
import { displayWidth, escapeControls, escapeLines, padEnd, truncate } from './text.ts';

describe('display width', () => {
  it('counts wide characters twice, combined ones once and colours not at all', () => {
    expect(displayWidth('abc')).toBe(3);
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(displayWidth('\u001b[31mred\u001b[39m')).toBe(3);
  });

  it('pads to columns, not to characters', () => {
    expect(padEnd('日本', 6)).toBe('日本  ');
    expect(padEnd('toolong', 3)).toBe('toolong');
  });
});

describe('truncation', () => {
  it('keeps what fits and marks what was cut', () => {
    expect(truncate('short', 5)).toBe('short');
    expect(truncate('much longer', 5)).toBe('much…');
    expect(truncate('anything', 1)).toBe('…');
    expect(truncate('anything', 0)).toBe('');
  });

  it('never splits a character and never takes more columns than it may', () => {
    expect(truncate('日本語', 4)).toBe('日…');
    expect(displayWidth(truncate('👩‍👩‍👧 family', 3))).toBeLessThanOrEqual(3);
  });
});

describe('escaping of control characters', () => {
  it('writes terminal escapes, line breaks and reordering characters as text', () => {
    expect(escapeControls('a\u001b[2Jb')).toBe('a\\u001b[2Jb');
    expect(escapeControls('a\r\nb\tc')).toBe('a\\r\\nb\\tc');
    expect(escapeControls('user\u202enimda')).toBe('user\\u202enimda');
    expect(escapeControls('\u009b31m')).toBe('\\u009b31m');
  });

  it('leaves ordinary text of every language alone', () => {
    expect(escapeControls('Grüße, 日本, 👩‍👧 — ok')).toBe('Grüße, 日本, 👩‍👧 — ok');
  });

  it('keeps line breaks and tabs of a text of several lines, and nothing else', () => {
    expect(escapeLines('one\r\ntwo\t\u0007three')).toBe('one\ntwo\t\\u0007three');
  });
});
