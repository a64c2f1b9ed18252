import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourcePosition } from '../errors/sluice-error.ts';
import { formatStack } from './format.ts';
import { loadStackText } from './load.ts';

const seeds = ['iac_config.yaml', 'customer-support.yaml'].map((name) => readFileSync(join(import.meta.dirname, 'testdata', name), 'utf8'));

/** `npm run fuzz:stack` tries 100,000. */
const stacks = Number(process.env['SLUICE_FUZZ_STACKS'] ?? 1_500);

/** Blocks of a stack, so that a mutated one is about as large as what it is meant to break. */
const pieces = seeds.flatMap((seed) => seed.split(/\n(?=[a-z])/)).map((piece) => `${piece}\n`);

const tokens = [
  '{', '}', '[', ']', '- ', ': ', ',', '&a ', '*a', '!!set ', '|', '>', '"', "'", '#', '%', '---\n', '...\n', '? ', '<<: ', '\t', '\r', '\0', '\u{1F600}', '\ud800',
  '${', '}', '$${', '${var.replicas}', '${secret.model-api-key}', '${database.support-db.url}', '${service.a.b.c}', '__proto__', 'constructor', 'null', 'true', '~',
  '1e999', '.nan', '0x1F', '-1', '99999999999999999999', '../..', '/etc/passwd', 'name', 'service', 'replicas', 'a'.repeat(300), '[[[[', '{a: {b: {', '\n', '  ', '\n\n',
]; // biome-ignore format: a list of tokens reads best packed

type Mutation = (text: string, at: number, token: string, length: number) => string;

const lines = (text: string, change: (all: string[], at: number) => void, at: number) => {
  const all = text.split('\n');
  change(all, Math.floor(at * all.length));
  return all.join('\n');
};

const mutations: readonly Mutation[] = [
  (text, at, token) => text.slice(0, Math.floor(at * text.length)) + token + text.slice(Math.floor(at * text.length)),
  (text, at, token, length) => text.slice(0, Math.floor(at * text.length)) + token + text.slice(Math.floor(at * text.length) + length),
  (text, at, _, length) => text.slice(0, Math.floor(at * text.length)) + text.slice(Math.floor(at * text.length) + length),
  (text, at, _, length) => lines(text, (all, line) => all.splice(line, Math.min(length, 3)), at),
  (text, at, _, length) => lines(text, (all, line) => all.splice(line, 0, ...all.slice(line, line + length)), at),
  (text, at, token) => lines(text, (all, line) => all.splice(line, 1, `${all[line] ?? ''}${token}`), at),
  (text, at, _, length) => lines(text, (all, line) => all.splice(line, 1, `${' '.repeat(length % 7)}${(all[line] ?? '').trimStart()}`), at),
  (text, at, token) => lines(text, (all, line) => all.splice(line, 1, (all[line] ?? '').replace(/:.*/, `: ${token}`)), at),
  (text, at, token) => lines(text, (all, line) => all.splice(line, 1, (all[line] ?? '').replace(/\w+/, token)), at),
  (text, at) => text.slice(0, Math.floor(at * text.length)),
];

/** Evenly spread: fast-check's own numbers with a point crowd around zero. */
const place = fc.nat({ max: 9999 }).map((number) => number / 10_000);

const mutated = fc
  .tuple(
    fc.shuffledSubarray(pieces, { minLength: 2, maxLength: 4 }),
    fc.array(fc.tuple(fc.constantFrom(...mutations), place, fc.constantFrom(...tokens), fc.nat({ max: 20 })), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([chosen, changes]) => changes.reduce((text, [mutate, at, token, length]) => mutate(text, at, token, length), chosen.join('')));

function expectSound(text: string): void {
  const loaded = loadStackText(text);
  const lineCount = text.split('\n').length;
  const inText = (position: SourcePosition | undefined) =>
    position !== undefined && position.line >= 1 && position.line <= lineCount && position.column >= 1;
  const blocks = loaded.ok ? loaded.value.blocks : [];
  expect({
    ok: loaded.ok,
    badlyPlaced: loaded.problems.filter(({ position }) => !inText(position)),
    badlyWorded: loaded.problems.filter(({ message }) => /undefined|\[object|Invalid input/.test(message)),
    lost: blocks.flatMap((block) => block.references.filter(({ path }) => !inText(block.positionOf(path)))),
  }).toEqual({ ok: !loaded.problems.some(({ severity }) => severity === 'error'), badlyPlaced: [], badlyWorded: [], lost: [] });
}

/** What is wrong with a text, wherever it stands. */
const codes = (text: string) =>
  loadStackText(text)
    .problems.map(({ code, message }) => `${code} ${message.replaceAll(/\d+:\d+/g, '')}`)
    .toSorted();

describe('no text, however broken, breaks the loader', { timeout: 1_200_000 }, () => {
  it('mutated stacks end in a stack or in problems with places', () => {
    fc.assert(fc.property(mutated, expectSound), { numRuns: stacks });
  });

  it('the whole seed files, mutated', () => {
    const whole = fc
      .tuple(fc.constantFrom(...seeds), place, fc.constantFrom(...tokens), fc.constantFrom(...mutations))
      .map(([seed, at, token, mutate]) => mutate(seed, at, token, 5));
    fc.assert(fc.property(whole, expectSound), { numRuns: 300 });
  });

  it('any text at all', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectSound), { numRuns: 500 });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 40 }), (parts) => expectSound(parts.join(''))),
      { numRuns: 1000 },
    );
  });

  it('formatting a mutated stack keeps its meaning, and doing it again changes nothing', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const once = formatStack(text, 'stack.yaml');
        if (!once.ok) return;
        const twice = formatStack(once.value, 'stack.yaml');
        expect(twice).toEqual(once);
        expect(codes(once.value)).toEqual(codes(text));
      }),
      { numRuns: 400 },
    );
  });
});
