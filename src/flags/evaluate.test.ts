import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../digest/json.ts';
import { checkContext, contextLimitBytes, readContext } from './context.ts';
import { evaluable } from './evaluate.ts';
import type { FlagDefinition, Override } from './flag.ts';

const definition: FlagDefinition = {
  variants: { on: true, off: false },
  default: 'off',
  rules: [
    { when: { plan: ['pro', 'enterprise'] }, serve: 'on' },
    { split: { on: 10, off: 90 }, by: 'user' },
  ],
};
const hand = { by: 'ann', at: '2026-11-22T12:00:00.000Z' };
const evaluate = (context: JsonObject, override?: Override) => evaluable({ name: 'cite', definition, override }).evaluate(context);

describe('evaluating', () => {
  it('says which rule decided, and that a split is a split', () => {
    expect(evaluate({ plan: 'pro' })).toEqual({
      ok: true,
      key: 'cite',
      value: true,
      variant: 'on',
      reason: 'targeting_match',
      matched: '1',
    });
    expect(evaluate({ targetingKey: 'u1' })).toMatchObject({ ok: true, reason: 'split', matched: '2' });
  });

  it('reports a split without a user, which flagd would answer with the default', () => {
    expect(evaluate({ plan: 'free' })).toMatchObject({ ok: false, errorCode: 'TARGETING_KEY_MISSING' });
    expect(evaluate({ targetingKey: '' })).toMatchObject({ ok: false, errorCode: 'TARGETING_KEY_MISSING' });
    expect(evaluate({ user: { id: 1 } })).toMatchObject({ ok: false, errorCode: 'INVALID_CONTEXT' });
    expect(evaluate({}, { action: 'percent', variant: 'on', percent: 100, attribute: 'team', ...hand })).toMatchObject({
      ok: false,
      errorCode: 'INVALID_CONTEXT',
      errorDetails: "Users are split by 'team', and the context has no such attribute.",
    });
  });

  it('splits by any text, number, true or false, 0 and false included', () => {
    const byTeam = evaluable({
      name: 'f',
      definition: { ...definition, rules: [{ split: { on: 50, off: 50 }, by: 'team' }] },
      override: undefined,
    });
    const share: Override = { action: 'percent', variant: 'on', percent: 50, attribute: 'team', ...hand };
    for (const team of [0, 1, -1, true, false, 'a', '0']) {
      expect([team, byTeam.evaluate({ team })]).toMatchObject([team, { ok: true, reason: 'split', matched: '1' }]);
      expect([team, evaluate({ team, targetingKey: 'u' }, share)]).toMatchObject([team, { ok: true }]);
    }
    for (const context of [{}, { team: null }, { team: '' }] as readonly JsonObject[])
      expect(byTeam.evaluate(context)).toMatchObject({ errorCode: 'INVALID_CONTEXT' });
  });

  it('takes an attribute user for the user where there is no targeting key', () => {
    expect(evaluate({ user: 'ann' })).toEqual(evaluate({ targetingKey: 'ann' }));
  });

  it('gives the default to everybody once killed, and one variant once set', () => {
    expect(evaluate({ plan: 'pro' }, { action: 'kill', ...hand })).toMatchObject({ value: false, reason: 'disabled', matched: 'killed' });
    expect(evaluate({}, { action: 'serve', variant: 'on', ...hand })).toMatchObject({ value: true, reason: 'static', matched: 'override' });
  });

  it('gives rules to those outside a share set by hand', () => {
    const nobody: Override = { action: 'percent', variant: 'on', percent: 0, attribute: 'user', ...hand };
    expect(evaluate({ targetingKey: 'u1', plan: 'pro' }, nobody)).toMatchObject({ variant: 'on', matched: '1' });
    expect(evaluate({ targetingKey: 'u1' }, { ...nobody, percent: 100 })).toMatchObject({
      variant: 'on',
      reason: 'split',
      matched: 'override',
    });
  });
});

describe('a context', () => {
  it('may be missing', () => {
    for (const body of ['', ' ', '{}', '{"context":null}', '{"context":{}}']) expect(readContext(body)).toEqual({ ok: true, context: {} });
  });

  it.each([
    ['no JSON', '{', 'PARSE_ERROR'],
    ['a list', '[]', 'PARSE_ERROR'],
    ['a text', '"context"', 'PARSE_ERROR'],
    ['a context that is a list', '{"context":[]}', 'INVALID_CONTEXT'],
    ['a context that is text', '{"context":"ann"}', 'INVALID_CONTEXT'],
    ['a targeting key that is a number', '{"context":{"targetingKey":7}}', 'INVALID_CONTEXT'],
    ['a context that is too deep', `{"context":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`, 'INVALID_CONTEXT'],
    [
      'one that is as deep as a body can be',
      `{"context":{"a":${'['.repeat(32_000)}${']'.repeat(32_000)}}}`.slice(0, contextLimitBytes),
      'INVALID_CONTEXT',
    ],
  ])('is refused as %s', (_, body, errorCode) => {
    expect(readContext(body)).toMatchObject({ ok: false, errorCode });
  });

  it('cannot reach prototypes', () => {
    const read = checkContext(JSON.parse('{"__proto__":{"plan":"pro"},"deep":{"__proto__":{"x":1}},"targetingKey":"u"}'));
    expect(read).toEqual({ ok: true, context: { deep: {}, targetingKey: 'u' } });
    for (const attribute of ['__proto__', 'constructor', 'toString', 'constructor.name', '__proto__.polluted', 'deep.constructor.name']) {
      const rules = [{ when: { [attribute]: ['Object', 'pro'] }, serve: 'on' }];
      const flag = evaluable({ name: 'f', definition: { ...definition, rules }, override: undefined });
      expect(flag.evaluate({ targetingKey: 'u' })).toMatchObject({ matched: 'default' });
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
