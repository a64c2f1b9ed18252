import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../digest/json.ts';
import { SluiceError } from '../errors/sluice-error.ts';
import { escapeText, splitText } from './expression.ts';
import { interpolateFields, type OutputExpression, outputExpressions } from './interpolate.ts';

const values: Readonly<Record<string, Json>> = {
  '${database.db.url}': 'postgres://x',
  '${database.db.port}': 5432,
  '${secret.key}': 's3cret',
};
const valueOf = ({ text }: OutputExpression): Json => values[text] ?? null;
const put = (value: Json) => interpolateFields({ value }, valueOf)['value'];

describe('interpolateFields', () => {
  it.each<[string, Json, Json]>([
    ['a text that is one interpolation keeps the type of the value', '${database.db.port}', 5432],
    ['inside other text the value becomes text', 'port ${database.db.port}!', 'port 5432!'],
    ['several in one text', '${secret.key}@${database.db.url}', 's3cret@postgres://x'],
    ['in lists and maps, however deep', { a: ['x', { b: '${secret.key}' }] }, { a: ['x', { b: 's3cret' }] }],
    ['an escape is the two characters', 'cost $${x} and $$${y}', 'cost ${x} and $${y}'],
    ['what is no text stays', [1, true, null], [1, true, null]],
    ['a dollar alone is a dollar', 'a $5 {b}', 'a $5 {b}'],
  ])('%s', (_, fields, expected) => {
    expect(put(fields)).toEqual(expected);
  });

  it('does not look for interpolations in a value it has put in', () => {
    expect(interpolateFields({ a: '${secret.a}' }, () => '${secret.b}')).toEqual({ a: '${secret.b}' });
  });

  it('refuses what is no output', () => {
    for (const text of ['${', '${var.x}', '${database.db}', '${a b}']) expect(() => put(text)).toThrow(SluiceError);
  });

  it('takes time in proportion to the length of the text', () => {
    const text = '${secret.key}${'.repeat(20_000).slice(0, -2);
    const before = process.cpuUsage();
    splitText(text);
    splitText('${'.repeat(300_000));
    splitText('$$${'.repeat(300_000));
    const { user } = process.cpuUsage(before);
    expect(user / 1000).toBeLessThan(2000);
  });
});

describe('outputExpressions', () => {
  it('gives each interpolation once, a secret with its value as output', () => {
    expect(outputExpressions({ a: '${secret.key} ${database.db.url}', b: ['${secret.key}', '$${secret.no}', 3] })).toEqual([
      { kind: 'secret', name: 'key', output: 'value', text: '${secret.key}' },
      { kind: 'database', name: 'db', output: 'url', text: '${database.db.url}' },
    ]);
  });
});

describe('splitText', () => {
  const text = fc
    .array(fc.constantFrom('$', '{', '}', '${', '$${', 'a', '.', 'secret', '${secret.x}', ' '), { maxLength: 30 })
    .map((parts) => parts.join(''));

  it('an escaped text is one literal: itself', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(splitText(escapeText(value))).toEqual(value === '' ? [] : [{ type: 'literal', text: value }]);
      }),
    );
  });

  it('expressions stand where it says they stand', () => {
    fc.assert(
      fc.property(text, (value) => {
        const misplaced = splitText(value).filter((segment) => segment.type !== 'literal' && !value.startsWith(segment.text, segment.at));
        expect(misplaced).toEqual([]);
      }),
    );
  });
});
