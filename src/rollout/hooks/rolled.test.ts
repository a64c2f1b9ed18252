import { describe, expect, it } from 'vitest';
import type { HookAnswer } from '../../notifications/message.ts';
import { rolloutOf } from '../rollout-view.ts';
import type { RolloutSettings } from '../service-state.ts';
import { canary, world } from '../testdata/staged-world.ts';
import { isUnderWay } from '../under-way.ts';
import type { HookSettings } from './hook.ts';
import { dueHooks } from './stage-hooks.ts';

const hook = (when: HookSettings['when'], extra: Partial<HookSettings> = {}): HookSettings => ({
  name: 'ask',
  url: 'http://hooks.example/',
  timeoutMs: 1_000,
  retries: 0,
  onFailure: 'rollback',
  when,
  ...extra,
});
const yes: HookAnswer = { outcome: 'passed' };
const no: HookAnswer = { outcome: 'failed', reason: 'it answered 422: not today' };

/** Four instances that are rolled, one at a time, and hooks that are answered by hand. */
function asked(hooks: readonly HookSettings[], extra: Partial<RolloutSettings> = {}) {
  const place = world({ strategy: 'rolling', hooks, ...extra });
  const due = (): readonly string[] => dueHooks(place.state()).map(({ key }) => key);
  const answer = (key: string, given: HookAnswer): void => {
    place.trouble.extra = { hooks: new Map([[key, given]]) };
    place.settle();
    place.trouble.extra = {};
    place.settle();
  };
  return { ...place, due, answer };
}

describe('a hook of a release that is rolled', () => {
  it('is asked when its first instance is ready, before it gets a request, and holds up nobody else', () => {
    const { deploy, pass, due, answer, weights, live, route, state } = asked([hook('before')]);
    deploy('r-2');
    pass(1_000_000);
    expect([due(), weights(), live('r-2'), live('r-1')]).toEqual([['start/ask'], { 'r-2': 0, 'r-1': 100 }, 1, 4]);
    expect([route()?.split?.overrideHeader, isUnderWay(state(), true)]).toEqual(['x-sluice-release', true]);
    expect(rolloutOf(state(), 0)).toMatchObject({ weight: 0, waits: { for: 'hook' }, hooks: [{ hook: 'start/ask', status: 'due' }] });
    answer('start/ask', yes);
    expect([weights(), route()?.split, state().candidate, state().instances.some(({ heldBack }) => heldBack)]).toEqual([
      { 'r-2': 100 },
      undefined,
      undefined,
      false,
    ]);
  });

  it('that says no before its first request keeps it from ever getting one', () => {
    const { deploy, answer, weights, state, told } = asked([hook('before')]);
    deploy('r-2');
    const before = told.length;
    answer('start/ask', no);
    expect([weights(), state().failure?.reason]).toEqual([{ 'r-1': 100 }, 'the hook ask failed: it answered 422: not today']);
    const shares = told.slice(before).flatMap((command) => (command.type === 'publish' ? command.route.backends : []));
    expect(shares.filter(({ release, weight }) => release === 'r-2' && weight > 0)).toEqual([]);
  });

  it('that is never answered leaves a superseded release without a request', () => {
    const { deploy, due, answer, weights, told } = asked([hook('before')]);
    deploy('r-2');
    deploy('r-3');
    expect([due(), weights()]).toEqual([['start/ask'], { 'r-3': 0, 'r-1': 100 }]);
    answer('start/ask', yes);
    expect(weights()).toEqual({ 'r-3': 100 });
    const shares = told.flatMap((command) => (command.type === 'publish' ? command.route.backends : []));
    expect(shares.filter(({ release, weight }) => release === 'r-2' && weight > 0)).toEqual([]);
  });

  it('at the end is asked when nothing else answers any more; a no takes the release back without losing capacity', () => {
    const { deploy, due, answer, weights, state, live } = asked([hook('after')]);
    deploy('r-2');
    expect([due(), weights(), state().stable]).toEqual([['end/ask'], { 'r-2': 100 }, 1]);
    answer('end/ask', no);
    expect([weights(), live('r-1'), state().failure?.withdrawn]).toEqual([{ 'r-1': 100 }, 4, undefined]);
  });

  it('holds the release where it says so: promote goes on without it, resume has it asked again', () => {
    for (const when of ['before', 'after'] as const) {
      const { deploy, answer, operate, due, state, weights } = asked([hook(when, { onFailure: 'hold' })]);
      const key = when === 'before' ? 'start/ask' : 'end/ask';
      deploy('r-2');
      answer(key, no);
      expect([state().candidate?.paused?.reason, due()]).toEqual(['the hook ask failed: it answered 422: not today', []]);
      operate({ type: 'resume' });
      expect(due()).toEqual([key]);
      operate({ type: 'promote', full: false });
      expect([weights(), state().candidate]).toEqual([{ 'r-2': 100 }, undefined]);
    }
  });

  it('needs room where no more instances than declared may run, and takes no more than may be missing', () => {
    const { deploy, due, live, answer, weights } = asked([hook('before')], { maxSurge: 0, maxUnavailable: 1 });
    deploy('r-2');
    expect([due(), live('r-1'), live('r-2')]).toEqual([['start/ask'], 3, 1]);
    answer('start/ask', yes);
    expect(weights()).toEqual({ 'r-2': 100 });
  });

  it('is asked neither of a return nor of the first release, and a control plane that was killed goes on waiting', () => {
    const { deploy, answer, operate, due, forget, weights, state } = asked([hook('before'), hook('after', { name: 'last' })]);
    expect(state().stable).toBe(1);
    deploy('r-2');
    forget();
    expect([due(), weights()]).toEqual([['start/ask'], { 'r-2': 0, 'r-1': 100 }]);
    answer('start/ask', yes);
    answer('end/last', yes);
    operate({ type: 'rollback' });
    expect([due(), weights(), state().candidate]).toEqual([[], { 'r-1': 100 }, undefined]);
  });

  it('stays asked when the way is declared anew meanwhile, and what was agreed to is not asked again', () => {
    const { deploy, redeclare, due, weights, answer, state } = asked([hook('before')]);
    deploy('r-2');
    redeclare('r-2', { ...canary, hooks: [hook('before')] });
    expect([due(), weights(), state().candidate?.heldBack]).toEqual([['start/ask'], { 'r-2': 0, 'r-1': 100 }, undefined]);
    redeclare('r-2', { strategy: 'rolling', hooks: [hook('before')] });
    expect([due(), weights()]).toEqual([['start/ask'], { 'r-2': 0, 'r-1': 100 }]);
    redeclare('r-2', { ...canary, hooks: [hook('before')] });
    answer('start/ask', yes);
    expect([due(), weights()]).toEqual([[], { 'r-2': 5, 'r-1': 95 }]);
  });

  it('keeps requests from every instance of its release, also from those of a superseded rollout of the same one', () => {
    const { deploy, redeclare, sicken, forget, due, answer, weights, live, told } = asked([], { ...canary, maxSurge: 2 });
    deploy('r-2');
    expect(weights()).toEqual({ 'r-2': 5, 'r-1': 95 });
    // Too few of the release in use are left for the others to be taken away.
    sicken('r-1', 2);
    const before = told.length;
    const metric = { attribute: 'plan', value: 'paid', goal: 'more' } as const;
    const experiment = { metric, arms: [], share: 5, forMs: 1_000, minUnits: 1, alpha: 0.05, onWinner: 'hold' } as const;
    // Another experiment is another rollout of the same release.
    redeclare('r-2', { strategy: 'rolling', hooks: [hook('before')], experiment });
    forget();
    const shares = told.slice(before).flatMap((command) => (command.type === 'publish' ? command.route.backends : []));
    expect(shares.filter(({ release, weight }) => release === 'r-2' && weight > 0)).toEqual([]);
    expect([due(), weights(), live('r-1')]).toEqual([['start/ask'], { 'r-2': 0, 'r-1': 100 }, 4]);
    answer('start/ask', yes);
    expect(weights()['r-2']).toBeGreaterThan(0);
  });
});
