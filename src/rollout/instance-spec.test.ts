import { expect, it } from 'vitest';
import { scrub } from './instance-spec.ts';

it('masks every secret in a text, the longest first, and leaves what is too short to be one', () => {
  const text = 'password pa55word-1 in postgres://u:pa55word-1@h/db, port 80';
  expect(scrub(text, ['pa55word-1', 'postgres://u:pa55word-1@h/db', '80', ''])).toBe('password [secret] in [secret], port 80');
});
