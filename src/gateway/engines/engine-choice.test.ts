import { expect, test } from 'vitest';
import type { FoundHaproxy } from '../haproxy/find-haproxy.ts';
import { createEngineChoice, type EngineChoice, type EngineChoiceDependencies } from './engine-choice.ts';

const there: FoundHaproxy = { binary: '/usr/sbin/haproxy', version: '2.6.12' };
const missing: FoundHaproxy = { missing: 'haproxy is not on PATH' };
const choiceWith = (found: FoundHaproxy | { broken: string }, more: Partial<EngineChoiceDependencies> = {}): EngineChoice =>
  createEngineChoice({ override: undefined, find: () => Promise.resolve(found), ...more });

test('without a word HAProxy serves where it is, else the embedded engine, and either says why', async () => {
  for (const table of [undefined, {}, { engine: 'auto' as const }]) {
    const [with_, without] = [choiceWith(there), choiceWith(missing)];
    expect([await with_.choose(table), await without.choose(table)]).toEqual(['haproxy', 'embedded']);
    expect(with_.reason()).toBe('HAProxy 2.6.12 found as /usr/sbin/haproxy; gateway.engine: embedded to change');
    expect(without.reason()).toBe('haproxy is not on PATH');
    expect([...with_.warnings(), ...without.warnings()]).toEqual([]);
  }
});

test('for embedded HAProxy is not even looked for; by auto it is looked for once, whatever tables come', async () => {
  let looked = 0;
  const choice = createEngineChoice({
    override: undefined,
    find: () => {
      looked += 1;
      return Promise.resolve(missing);
    },
  });
  expect(await choice.choose({ engine: 'embedded' })).toBe('embedded');
  expect([looked, choice.reason()]).toEqual([0, 'gateway.engine is embedded']);
  await choice.choose({});
  await choice.choose({});
  expect(looked).toBe(1);
});

test('asked for by name and not there, it is replaced with a warning, and looked for again with the next table', async () => {
  const finds = [missing, there];
  const choice = createEngineChoice({ override: undefined, find: () => Promise.resolve(finds.shift() ?? there) });
  expect(await choice.choose({ engine: 'haproxy' })).toBe('embedded');
  expect(choice.warnings()).toEqual(['gateway.engine is haproxy, but the embedded engine serves: haproxy is not on PATH']);
  expect(await choice.choose({ engine: 'haproxy' })).toBe('haproxy');
  expect(choice.warnings()).toEqual([]);
});

test('one that was found and does not serve is replaced with a warning, asked for by name or not', async () => {
  for (const engine of ['haproxy', 'auto'] as const) {
    const choice = choiceWith(there);
    choice.giveUpHaproxy('a line of its configuration');
    expect(await choice.choose({ engine })).toBe('embedded');
    expect(choice.warnings()).toEqual(['the embedded engine serves instead of HAProxy: a line of its configuration']);
  }
  expect(await choiceWith({ broken: 'it ends' }).choose({})).toBe('embedded');
  expect(await choiceWith(there, { obstacle: 'it ended five times' }).choose(undefined)).toBe('embedded');
});

test('where spans are exported HAProxy serves only when asked for by name', async () => {
  const choice = choiceWith(there, { isTraced: true });
  expect([await choice.choose({}), await choice.choose({ engine: 'haproxy' })]).toEqual(['embedded', 'haproxy']);
});

test('what the environment names takes precedence over tables', async () => {
  expect(await choiceWith(there, { override: 'haproxy' }).choose({ engine: 'embedded' })).toBe('haproxy');
  const pinned = choiceWith(there, { override: 'embedded' });
  expect(await pinned.choose({ engine: 'haproxy' })).toBe('embedded');
  expect(pinned.reason()).toBe('SLUICE_GATEWAY_ENGINE is embedded');
  expect(await choiceWith(there, { override: 'nonsense' }).choose({ engine: 'haproxy' })).toBe('haproxy');
});
