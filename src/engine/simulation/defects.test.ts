import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../digest/json.ts';
import type { Write } from '../../store/store.ts';
import { canary } from './cloud.ts';
import { playHistory } from './history.ts';
import type { World } from './world.ts';

/** Which promises the histories of some seeds find broken when every engine writes what `tamper` makes of it. */
async function brokenBy(tamper: World['tamper']): Promise<readonly string[]> {
  const found = new Set<string>();
  for (let seed = 1; seed <= 150; seed += 1) {
    const { violation } = await playHistory(seed, { tamper });
    if (violation) found.add(violation.invariant);
  }
  return [...found].toSorted();
}

/** Whether some of more histories find this promise broken, for defects that only show now and then. */
async function isBrokenBy(promise: string, tamper: World['tamper']): Promise<boolean> {
  for (let seed = 1; seed <= 2_000; seed += 1) {
    const { violation } = await playHistory(seed, { tamper });
    if (violation?.invariant === promise) return true;
  }
  return false;
}

const turned = (on: readonly string[]) => Object.fromEntries(on.map((address) => [address, 'new']));

const isOld = (state: JsonObject): boolean => (state['copy'] as { role?: string } | undefined)?.role === 'old';

const isState = (write: Write): write is Extract<Write, { operation: 'put' }> =>
  write.operation === 'put' && write.collection === 'resources';

const journalElsewhere = (write: Write): Write =>
  write.operation === 'append' && write.log === 'journal' ? { ...write, log: 'nowhere' } : write;

/** Changes the states that are written; receipts stay in step because no write is left out. */
const states = (change: (state: JsonObject) => JsonObject) => (writes: readonly Write[]) =>
  writes.map((write): Write => (isState(write) ? { ...write, value: change(write.value as JsonObject) } : write));

describe('the simulation notices an engine that', () => {
  it('keeps no journal', async () => {
    expect(await brokenBy((writes) => writes.map(journalElsewhere))).toEqual(['intent_before_effect']);
  });

  it('records a change as done before it is', async () => {
    const tamper = states((state) => (state['status'] === 'creating' ? { ...state, status: 'ready' } : state));
    expect(await brokenBy(tamper)).toContain('intent_before_effect');
  });

  it('forgets what its provider answered', async () => {
    expect(await brokenBy(states((state) => (state['status'] === 'ready' ? { ...state, id: 'lost' } : state)))).toContain('converges');
  });

  it('forgets what the old copy of a replacement was', { timeout: 30_000 }, async () => {
    const tamper = states((state) => (isOld(state) ? { ...state, id: 'lost' } : state));
    expect(await isBrokenBy('converges', tamper)).toBe(true);
  });

  it('takes everything for turned to a new copy before it is', { timeout: 30_000 }, async () => {
    const tamper = states((state) => ({ ...state, standsOn: turned(state['dependencies'] as readonly string[]) }));
    expect(await isBrokenBy('nobody_stranded', tamper)).toBe(true);
  });

  it('writes down secrets', async () => {
    expect(await brokenBy(states((state) => ({ ...state, note: canary })))).toEqual(['secrets_stay_secret']);
  });
});
