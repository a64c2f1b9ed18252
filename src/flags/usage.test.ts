import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../store/memory-store.ts';
import { createFlagDocuments } from './flag-documents.ts';
import { createFlagSets } from './flag-sets.ts';
import type { FlagRecord } from './flag.ts';
import { staleness } from './staleness.ts';
import { type CountedEvaluation, merged, noUsage, usesKept, type FlagUsage } from './usage.ts';
import { createUsageKeeper } from './usage-keeper.ts';
import { createUsageTally } from './usage-tally.ts';
import { until } from '../testing/conditions.ts';
import { systemClock } from '../effects/clock.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-11-22T12:00:00.000Z');
const record = (changedDaysAgo: number, rules = true): FlagRecord => {
  const at = new Date(now - changedDaysAgo * dayMs).toISOString();
  const definition = { variants: { on: true, off: false }, default: 'off', rules: rules ? [{ when: { plan: 'pro' }, serve: 'on' }] : [] };
  return { id: 'flag-1', environment: 'production', name: 'cite', declared: {}, definition, createdAt: at, changedAt: at };
};
const counted = (usage: FlagUsage, evaluation: CountedEvaluation, at: number): FlagUsage => {
  const tally = createUsageTally(at);
  tally.add(evaluation, at);
  return merged(usage, tally.usage());
};
const use = (variant: string, matched: string, daysAgo: number, usage: FlagUsage = noUsage(now - 40 * dayMs)): FlagUsage =>
  counted(usage, { service: 'agent', release: 'r-1', served: { variant, matched }, as: 'evaluation' }, now - daysAgo * dayMs);

describe('the use of a flag', () => {
  it('is bounded, however many releases ask', () => {
    let usage = noUsage(0);
    for (let index = 0; index < usesKept + 50; index += 1) {
      usage = counted(usage, { service: 'agent', release: `r-${index}`, served: { variant: 'on', matched: '1' }, as: 'evaluation' }, index);
    }
    expect([usage.uses.length, usage.others]).toEqual([usesKept, 50]);
    expect(merged(usage, usage)).toMatchObject({ others: 100 });
  });

  it('is kept across a restart, added up over two control planes, and gone with the flag', async () => {
    const store = createMemoryStore();
    const documents = createFlagDocuments({ store, clock: systemClock });
    await documents.change('production', 'cite', () => ({ after: record(0), change: { action: 'applied', by: 'apply' } }));
    const keepers = [createUsageKeeper({ store, clock: systemClock }), createUsageKeeper({ store, clock: systemClock })];
    for (const keeper of keepers)
      keeper.count('production', 'cite', { service: 'agent', release: 'r-1', served: { variant: 'on', matched: '1' }, as: 'evaluation' });
    for (const keeper of keepers) await keeper.flush();
    keepers[0]?.count('production', 'gone', { served: { variant: 'on', matched: '1' }, as: 'fetch' });
    await keepers[0]?.flush();
    const after = await createUsageKeeper({ store, clock: systemClock }).of('production');
    expect([...after.keys()]).toEqual(['cite']);
    expect(after.get('cite')?.uses).toMatchObject([{ evaluations: 2 }]);
  });
});

describe('a stale flag', () => {
  it.each([
    ['one that is new', record(3), undefined, []],
    ['one nobody has ever evaluated', record(15), undefined, ['never evaluated in 15 days']],
    ['one nobody evaluates any more', record(40), use('on', '1', 20), ['not evaluated for 20 days']],
    ['one that serves both', record(40), use('off', 'default', 1, use('on', '1', 2)), []],
    ['one that serves everybody the same', record(40), use('on', '1', 1), ["'on' for everybody for 30 days"]],
    [
      'one whose rules are dead',
      record(40),
      use('off', 'default', 1),
      ["'off' for everybody for 30 days", 'no rule held for anybody for 30 days'],
    ],
    ['one that was changed lately', record(3), use('off', 'default', 1), []],
  ])('is told from %s', (_, flag, usage, reasons) => {
    expect(staleness(flag, usage, now)).toEqual(reasons);
  });
});

describe('flags in memory', () => {
  it('follow what another control plane over the same store has changed', async () => {
    const store = createMemoryStore();
    const [here, there] = [createFlagDocuments({ store, clock: systemClock }), createFlagDocuments({ store, clock: systemClock })];
    const sets = createFlagSets({ documents: here, clock: systemClock });
    await sets.of('production');
    const over = new AbortController();
    const running = sets.run(over.signal);
    await there.change('production', 'cite', () => ({ after: record(0), change: { action: 'applied', by: 'apply' } }));
    for await (const { revision, flags } of sets.follow('production', 0, over.signal)) {
      expect([revision, [...flags.keys()]]).toEqual([1, ['cite']]);
      break;
    }
    over.abort();
    await running;
    expect(await until('the environments', () => sets.environments())).toEqual(['production']);
  });

  it('keep what was compiled of every flag that serves what it did', async () => {
    const documents = createFlagDocuments({ store: createMemoryStore(), clock: systemClock });
    const sets = createFlagSets({ documents, clock: systemClock });
    const put = (name: string, after: FlagRecord) =>
      documents.change('production', name, () => ({ after: { ...after, name }, change: { action: 'set', by: 'ann' } }));
    await put('cite', record(0));
    await put('other', record(0));
    const before = (await sets.refresh('production')).flags;
    await put('cite', { ...record(0), override: { action: 'kill', by: 'ann', at: '' } });
    const killed = (await sets.refresh('production')).flags;
    expect([killed.get('cite') === before.get('cite'), killed.get('other') === before.get('other')]).toEqual([false, true]);
    await put('cite', { ...record(0), override: { action: 'kill', by: 'bob', at: '', reason: 'again' } });
    expect((await sets.refresh('production')).flags.get('cite')).toBe(killed.get('cite'));
  });
});
