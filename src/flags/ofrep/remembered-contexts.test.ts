import { describe, expect, it } from 'vitest';
import { evaluable } from '../evaluate.ts';
import type { FlagSet } from '../flag-sets.ts';
import type { FlagDefinition, Override } from '../flag.ts';
import { createRememberedContexts } from './remembered-contexts.ts';

const definition: FlagDefinition = {
  variants: { on: true, off: false },
  default: 'off',
  rules: [{ when: { plan: 'pro' }, serve: 'on' }],
};
const flagOf = (name: string, override?: Override) => {
  const flag = evaluable({ name, definition, override });
  const asked: unknown[] = [];
  return {
    asked,
    flag: {
      ...flag,
      evaluate: (context: Parameters<typeof flag.evaluate>[0]) => (asked.push(context['plan']), flag.evaluate(context)),
    },
  };
};
const setOf = (...list: FlagSet['list']): FlagSet => ({
  environment: 'production',
  revision: 1,
  changedAt: undefined,
  digest: '',
  flags: new Map(list.map((flag) => [flag.name, flag])),
  list,
});
const bodyOf = (plan: string): string => JSON.stringify({ context: { targetingKey: 'ann', plan } });
const values = (read: ReturnType<ReturnType<typeof createRememberedContexts>['evaluated']>) =>
  read.ok ? read.evaluations.map((evaluation) => evaluation.ok && [evaluation.key, evaluation.value, evaluation.matched]) : read.errorCode;

describe('a context that was sent before', () => {
  const kill: Override = { action: 'kill', by: 'ann', at: '' };
  const [cite, cited, other, added] = [flagOf('cite'), flagOf('cite', kill), flagOf('other'), flagOf('another')];

  it('is evaluated again for what has changed, and for nothing else', () => {
    const contexts = createRememberedContexts({ characters: 1_000_000 });
    const before = setOf(cite.flag, other.flag);
    expect(values(contexts.evaluated(bodyOf('pro'), before))).toEqual([
      ['cite', true, '1'],
      ['other', true, '1'],
    ]);
    contexts.evaluated(bodyOf('pro'), before);
    expect(values(contexts.evaluated(bodyOf('pro'), setOf(cited.flag, other.flag)))).toEqual([
      ['cite', false, 'killed'],
      ['other', true, '1'],
    ]);
    expect([cite.asked, cited.asked, other.asked]).toEqual([['pro'], ['pro'], ['pro']]);
    const moved = contexts.evaluated(bodyOf('pro'), setOf(added.flag, cited.flag, other.flag));
    expect(values(moved)).toEqual([
      ['another', true, '1'],
      ['cite', false, 'killed'],
      ['other', true, '1'],
    ]);
    expect(values(contexts.evaluated(bodyOf('free'), before))).toEqual([
      ['cite', false, 'default'],
      ['other', false, 'default'],
    ]);
  });

  it('is forgotten when more others were sent than there is room for, unless it is asked for again', () => {
    const contexts = createRememberedContexts({ characters: 8_000 });
    const { asked, flag } = flagOf('kept');
    const set = setOf(flag);
    for (let index = 0; index < 100; index += 1) {
      contexts.evaluated(bodyOf('pro'), set);
      contexts.evaluated(bodyOf(`plan-${index}`), set);
    }
    expect(asked.filter((plan) => plan === 'pro')).toEqual(['pro']);
    contexts.evaluated(bodyOf('plan-0'), set);
    expect(asked.filter((plan) => plan === 'plan-0')).toEqual(['plan-0', 'plan-0']);
  });

  it('is not remembered when it is no context', () => {
    const contexts = createRememberedContexts({ characters: 8_000 });
    for (const _ of [1, 2]) expect(values(contexts.evaluated('{', setOf(cite.flag)))).toBe('PARSE_ERROR');
  });
});
