import { expect, test } from 'vitest';
import type { FoundHaproxy } from '../haproxy/find-haproxy.ts';
import type { RoutingTable } from '../routing-table.ts';
import { routeOf } from '../testing/rig.ts';
import { createEngineChoice } from './engine-choice.ts';

const there: FoundHaproxy = { binary: '/usr/sbin/haproxy', version: '2.6.12' };
const choiceWith = (found: FoundHaproxy, override?: string) => createEngineChoice({ override, find: () => Promise.resolve(found) });
const table = (engine: RoutingTable['engine'], service: Parameters<typeof routeOf>[0] = {}): RoutingTable => ({
  version: 1,
  listeners: [],
  ...(engine !== undefined && { engine }),
  services: [routeOf(service)],
});

test('without a word the embedded engine serves, and HAProxy is not even looked for', async () => {
  const choice = createEngineChoice({ override: undefined, find: () => Promise.reject(new Error('looked for')) });
  expect(await choice.choose(table(undefined))).toBe('embedded');
  expect(await choice.choose(table('embedded'))).toBe('embedded');
});

test('HAProxy serves where it is asked for, is there, and can do all of it', async () => {
  expect(await choiceWith(there).choose(table('haproxy'))).toBe('haproxy');
  expect(await choiceWith(there).choose(table('auto'))).toBe('haproxy');
});

test('asked for by name and not able to, it is replaced with a warning; by auto without a word', async () => {
  const missing = choiceWith({ missing: 'haproxy is not on PATH' });
  expect(await missing.choose(table('haproxy'))).toBe('embedded');
  expect(missing.warnings()).toEqual(['gateway.engine is haproxy, but the embedded engine serves: haproxy is not on PATH']);
  expect(await missing.choose(table('auto'))).toBe('embedded');
  expect(missing.warnings()).toEqual([]);
  const broken = choiceWith(there);
  broken.giveUpHaproxy('a line of its configuration');
  expect(await broken.choose(table('haproxy'))).toBe('embedded');
  expect(broken.warnings()).toMatchObject([expect.stringContaining('a line of its configuration')]);
});

test('HAProxy serves whatever the table asks for: what it cannot do itself, it passes on', async () => {
  const asks = { mirror: { release: 'r2', percent: 10, bodyBytes: 0 }, evidence: { id: 'e', latencyThresholdsMs: [] } };
  expect(await choiceWith(there).choose(table('auto', asks))).toBe('haproxy');
});

test('what the environment names takes precedence over tables', async () => {
  expect(await choiceWith(there, 'haproxy').choose(table('embedded'))).toBe('haproxy');
  expect(await choiceWith(there, 'embedded').choose(table('haproxy'))).toBe('embedded');
  expect(await choiceWith(there, 'nonsense').choose(table('haproxy'))).toBe('haproxy');
});
