import { describe, expect, it } from 'vitest';
import { computePlan } from './compute.ts';
import { copyAddress } from './copies.ts';
import { renderPlan } from './render.ts';
import { addressOf, block, desired, inputs, recorded, refersTo } from './testdata/resources.ts';

const coexisting = { replaceFields: ['type'], coexistence: { exclusive: [] } };
const cache = (type: string) => block('cache', 'main', { type });
const web = block('service', 'web', { env: { URL: '${cache.main.url}' } }, [refersTo('env.URL', 'cache', 'main', 'url')]);
const reader = (type: string) => block('database', 'db', { type }, [refersTo('on', 'cache', 'main')]);
const main = addressOf('cache', 'main');
const old = copyAddress(recorded(cache('Redis')).state);
const asOld = (of: ReturnType<typeof recorded>) =>
  recorded(block('cache', 'main-old', of.state.declared), {
    ...of.state,
    address: addressOf('cache', 'main-old'),
    copy: { of: main, role: 'old' },
  });
const actions = (...given: Parameters<typeof inputs>) =>
  computePlan(inputs(...given)).changes.map(({ action, address, after }) => [action, address, [...after]]);

describe('the plan of a replacement beside the old copy', () => {
  it('shows the order, no downtime, and one resource replaced', () => {
    const plan = computePlan(inputs([desired(cache('Valkey'), coexisting), desired(web)], [recorded(cache('Redis')), recorded(web)]));
    expect(plan.changes.map(({ action, address, after }) => [action, address, after])).toEqual([
      ['replace', main, []],
      ['update', web.address, [main]],
      ['delete', old, [web.address, main]],
    ]);
    const text = renderPlan(plan, { color: false });
    expect(text).toContain('+/- cache/main  replace (type cannot change in place)\n        create new, turn service/web, delete old\n');
    expect(text).toContain(`(the old copy of cache/main)  after service/web, cache/main`);
    expect(text).not.toContain('owntime');
    expect(text).toContain('Plan: 0 to create, 1 to update, 1 to replace, 0 to delete, 0 unchanged.');
  });

  it('turns what still uses an old copy even where nothing else about it differs', () => {
    const is = [recorded(cache('Redis'), { id: 'new' }), asOld(recorded(cache('Redis'), { id: 'old' })), recorded(web)];
    expect(actions([desired(cache('Redis')), desired(web)], is)).toEqual([
      ['none', main, []],
      ['update', web.address, [main]],
      ['delete', addressOf('cache', 'main-old'), [web.address]],
    ]);
    const turned = [...is.slice(0, 2), recorded(web, { standsOn: { [main]: 'new' } })];
    expect(actions([desired(cache('Redis')), desired(web)], turned).map(([action]) => action)).toEqual(['none', 'delete', 'none']);
  });

  it('waits with an old copy for the unfinished new copy of another that may use it', () => {
    const before = recorded(block('database', 'db', { type: 'a' }));
    const next = recorded(reader('b'), {
      address: copyAddress(before.state),
      status: 'failed',
      id: '',
      copy: { of: before.state.address, role: 'next' },
    });
    const is = [recorded(cache('Redis'), { id: 'new' }), asOld(recorded(cache('Redis'), { id: 'old' })), before, next];
    const changes = actions([desired(cache('Redis')), desired(reader('b'), coexisting)], is, { allowDestroy: [before.state.address] });
    expect(changes).toContainEqual(['delete', addressOf('cache', 'main-old'), [before.state.address]]);
  });

  it('removes an old copy and an unwanted new one with the environment, and counts neither as a resource', () => {
    const next = recorded(cache('Valkey'), { address: old, status: 'creating', id: '', copy: { of: main, role: 'next' } });
    const is = [recorded(cache('Redis')), asOld(recorded(cache('Redis'), { id: 'old' })), next];
    expect(computePlan(inputs([], is, { mode: 'destroy' })).changes.map(({ action }) => action)).toEqual(['delete', 'delete', 'delete']);
    expect(actions([desired(cache('Redis'))], is).map(([action]) => action)).toEqual(['none', 'delete', 'delete']);
  });
});
