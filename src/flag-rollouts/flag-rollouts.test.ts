import { expect, test } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { createFlagDocuments } from '../flags/flag-documents.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createFlagRollouts, type FlagRolloutDependencies } from './flag-rollouts.ts';

const environment = 'default';
const usual = { steps: [5, 25], stepMs: 1_000, noticeMs: 1_000, attribute: 'flag.any', alpha: 0.05, errorTolerance: 1, minUnits: 20 };
const actor = { actor: { name: 'ada' } };

/** Two flags, and a store with nobody who counts. */
async function flags() {
  const store = createMemoryStore();
  const definition = { variants: { off: 0, on: 1 }, default: 'off', rules: [] };
  const at = new Date(0).toISOString();
  for (const name of ['tone', 'length']) {
    const value = { id: name, environment, name, declared: {}, definition, createdAt: at, changedAt: at };
    await store.transact([{ operation: 'put', collection: 'flags', key: `${environment}/${name}`, value }]);
  }
  const documents = createFlagDocuments({ store, clock: systemClock });
  const ports = {
    store,
    documents,
    sets: { refresh: () => Promise.resolve({}) },
    services: {
      stateOf: () => Promise.resolve({ stable: 1 }),
      countFlag: () => Promise.resolve(),
      isPublished: () => Promise.resolve(true),
    },
    traffic: {},
    audit: { append: (_: unknown, writes: Parameters<typeof store.transact>[0]) => store.transact(writes) },
    events: { entry: () => ({ operation: 'append', log: 'events', value: {} }), announce: () => undefined },
    clock: systemClock,
    random: systemRandom,
  };
  return createFlagRollouts(ports as unknown as FlagRolloutDependencies);
}

test('a service counts for one flag at a time: another one is refused until the first has ended', async () => {
  const rollouts = await flags();
  const start = (flag: string, service: string) => rollouts.start(environment, flag, { ...usual, variant: 'on', service }, actor);
  await start('tone', 'agent');
  const refused = { code: 'flag_rollout_impossible', message: expect.stringContaining('`sluice flag rollout tone --stop`') };
  await expect(start('length', 'agent')).rejects.toMatchObject(refused);
  await rollouts.stop(environment, 'tone', actor);
  expect(await start('length', 'agent')).toMatchObject({ flag: 'length', service: 'agent' });
  expect(await start('tone', 'writer')).toMatchObject({ flag: 'tone', service: 'writer' });
});
