import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as reasoning from '../agents/reasoning/words.ts';
import * as retrieval from '../agents/retrieval/words.ts';

const read = (path: string): string => readFileSync(new URL(`../agents/${path}`, import.meta.url), 'utf8');

describe('what several agents carry, since each is deployed on its own', () => {
  it.each([
    ['log.ts', ['retrieval', 'reasoning', 'conversation', 'logging']],
    ['serve.ts', ['retrieval', 'reasoning', 'conversation', 'logging']],
    ['refusal.ts', ['retrieval', 'reasoning', 'conversation', 'logging']],
    ['package.json', ['retrieval', 'reasoning', 'conversation', 'logging']],
    ['fields.ts', ['reasoning', 'conversation', 'logging']],
    ['prompts.ts', ['reasoning', 'conversation']],
    ['words.ts', ['retrieval', 'reasoning']],
  ])('%s is the same in all of them', (file, agents) => {
    expect(new Set(agents.map((agent) => read(`${agent}/${file}`))).size).toBe(1);
  });
});

describe.each([
  ['retrieval', retrieval],
  ['reasoning', reasoning],
])('the words of %s', (_agent, { stem, subject, terms, words }) => {
  it.each([
    ['cancel', 'cancels', 'cancelled', 'cancelling', 'cancellation'],
    ['delivery', 'deliver', 'deliveries', 'delivered'],
    ['charge', 'charged', 'charging', 'charges'],
    ['address', 'addresses'],
    ['payment', 'pay', 'paid'],
    ['delete', 'deleted', 'deletion'],
  ])('have one stem for %s and its forms', (...forms) => {
    expect(new Set(forms.map(stem)).size).toBe(1);
  });

  it('are lower case, without accents and apostrophes', () => {
    expect(words("Don't touch my Wi-Fi, café!")).toEqual(['dont', 'touch', 'my', 'wifi', 'cafe']);
  });

  it('leave out what carries no subject', () => {
    expect(terms('How can I get a refund for my order? A refund!')).toEqual(['refund', 'order']);
    expect(['how', 'refunds'].map(subject)).toEqual([undefined, 'refund']);
  });
});
