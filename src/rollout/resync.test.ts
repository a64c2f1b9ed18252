import { expect, it } from 'vitest';
import { createMemoryStore } from '../store/memory-store.ts';
import { silentEvents } from './simulation/script.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import { createWorld } from './simulation/world.ts';

it('a change that was stored by a control plane which is gone, after the next one had looked, is carried out all the same', async () => {
  const world = await createWorld({ store: createMemoryStore(), events: silentEvents, behaviours: {} });
  await world.controller.setDesired(desiredRelease('one', 'first', { replicas: 1 }));
  await world.clock.advance(5_000);
  world.crashAt(1, 'late');
  await expect(world.controller.scale('default/service/agent', 3)).rejects.toThrow('crashed');
  await world.clock.advance(40_000);
  const state = await world.state();
  expect([state?.replicas, state?.instances.map(({ phase }) => phase)]).toEqual([3, ['ready', 'ready', 'ready']]);
  await world.controller.stop();
});
