import { FlagdCore } from '@openfeature/flagd-core';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../digest/json.ts';
import { flag } from '../stack/kinds/flag.ts';
import { compile } from './compile.ts';
import { evaluable } from './evaluate.ts';

const base = { name: 'f', variants: { on: true, off: false }, default: 'off' };
const definitionOf = (given: JsonObject) => {
  const { variants, default: fallback, rules } = flag.schema.parse({ ...base, ...given });
  return { variants, default: fallback, rules };
};
/** What flagd has to say of a definition; it validates by its own published schema. */
const complaints = (serving: unknown): readonly string[] => {
  const told: string[] = [];
  const log = (text: string): void => void told.push(text);
  const core = new FlagdCore(undefined, { debug: log, info: log, warn: log, error: log }, { disableDynamicCodeGeneration: true });
  core.setConfigurations(JSON.stringify({ flags: { f: serving } }));
  return told;
};

describe('a condition', () => {
  it.each<readonly [when: JsonObject, holdsFor: readonly Json[], not: readonly Json[]]>([
    [{ a: 'x' }, ['x'], ['y', 1, null]],
    [{ a: ['x', 5, true] }, ['x', 5, true], ['5', 'true', 1]],
    [{ a: { not: 'x' } }, ['y', 1, '', null], ['x']],
    [{ a: { not: ['x', 5] } }, ['5', true, null], ['x', 5]],
    [{ a: { starts_with: 'eu-' } }, ['eu-1', 'eu-'], ['EU-1', 'xeu-', 7, null]],
    [{ a: { ends_with: ['@acme.example', '@acme.test'] } }, ['ann@acme.example', 'b@acme.test'], ['ann@acme.example.org', true, null]],
    [{ a: { above: 5 } }, [5.1, 6], [5, '6', null, true]],
    [{ a: { at_least: 5, below: 10 } }, [5, 9.99], [4, 10, '7', null]],
    [{ a: { at_most: 0 } }, [0, -1], [1, null, '', false, '0']],
    [{ a: { version: '>=2.1.0 <3.0.0' } }, ['2.1.0', '2.9.9', 'v2.2.0'], ['2.0.9', '3.0.0', '2.1.0-beta.1', 'two', null]],
    [{ a: { version: '1.2.3' } }, ['1.2.3'], ['1.2.4', null]],
    [{ a: { version: '!= 1.2.3' } }, ['1.2.4'], ['1.2.3', null]],
    [{ a: { starts_with: 'x', not: ['xa', 'xb'] } }, ['x', 'xc'], ['xa', 'y', null]],
    [{ user: ['ann', 'bob'] }, [], ['ann']],
  ])('%j holds for %j and not for %j, and flagd finds it valid', (when, holdsFor, not) => {
    const definition = definitionOf({ rules: [{ when, serve: 'on' }] });
    const subject = evaluable({ name: 'f', definition, override: undefined });
    const matched = (a: Json): unknown => {
      const evaluation = subject.evaluate({ targetingKey: 'eve', ...(a !== null && { a }) });
      return evaluation.ok && evaluation.matched;
    };
    expect(holdsFor.map((a) => [a, matched(a)])).toEqual(holdsFor.map((a) => [a, '1']));
    expect(not.map((a) => [a, matched(a)])).toEqual(not.map((a) => [a, 'default']));
    const { serving, matching } = compile(definition, undefined);
    expect([complaints(serving), complaints(matching)]).toEqual([[], []]);
  });

  it('of user is one of whom OpenFeature calls the targeting key, as in a split', () => {
    const definition = definitionOf({ rules: [{ when: { user: ['ann', 'bob'] }, serve: 'on' }] });
    const subject = evaluable({ name: 'f', definition, override: undefined });
    for (const context of [{ targetingKey: 'ann' }, { user: 'bob' }] as readonly JsonObject[])
      expect(subject.evaluate(context)).toMatchObject({ variant: 'on' });
    expect(subject.evaluate({ targetingKey: 'eve' })).toMatchObject({ variant: 'off' });
  });

  it.each<readonly [given: JsonObject, path: string, words: RegExp]>([
    [{ rules: [{ when: { a: [] }, serve: 'on' }] }, 'rules.0.when.a', /at least one value/],
    [{ rules: [{ when: { a: { ends_with: [] } }, serve: 'on' }] }, 'rules.0.when.a.ends_with', /at least one value/],
    [{ rules: [{ when: { a: { like: 'x' } }, serve: 'on' }] }, 'rules.0.when.a', /like/],
    [{ rules: [{ when: { a: {} }, serve: 'on' }] }, 'rules.0.when.a', /a condition with not/],
    [{ rules: [{ when: { a: null }, serve: 'on' }] }, 'rules.0.when.a', /a condition such as/],
    [{ rules: [{ when: { a: { version: '^2.1.0' } }, serve: 'on' }] }, 'rules.0.when.a.version', /full versions/],
    [{ rules: [{ when: { '$flagd.timestamp': 1 }, serve: 'on' }] }, 'rules.0.when.$flagd.timestamp', /./],
    [{ rules: [{ split: { on: 100 }, by: '$flagd.x' }] }, 'rules.0.by', /no user's/],
    [{ rules: [{ serve: 'on', by: 'user' }] }, 'rules.0', /without by/],
    [{ variants: { on: true, off: false, '': true } }, 'variants.', /./],
    [{ variants: { on: true, off: false, 'a\nb': true } }, 'variants.a\nb', /./],
  ])('that flagd would not take, or that could never hold, is refused where it stands: %j', (given, path, words) => {
    const { error } = flag.schema.safeParse({ ...base, ...given });
    expect(error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([[path, expect.stringMatching(words)]]);
  });
});
