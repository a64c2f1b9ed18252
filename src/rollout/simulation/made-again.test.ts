import { expect, it } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import { address, desiredRelease } from './desired-release.ts';
import { agent } from './routed.ts';
import { silentEvents } from './script.ts';
import { createWorld } from './world.ts';

it('a service that is declared again while the last of it is taken away is not taken away with it', async () => {
  const world = await createWorld({ store: createMemoryStore(), events: silentEvents, behaviours: { one: { readyAfter: 100 } } });
  const { controller, traffic, clock } = world;
  await controller.setDesired(desiredRelease('one', 'first'));
  await clock.advance(10_000);
  const remove = traffic.remove.bind(traffic);
  let isDeclared = false;
  traffic.remove = async (service) => {
    await remove(service);
    if (!isDeclared) await controller.setDesired(desiredRelease('one', 'second'));
    isDeclared = true;
  };
  await controller.remove(address);
  await clock.advance(30_000);
  expect([isDeclared, (await world.state())?.instances.map(({ phase }) => phase)]).toEqual([true, ['ready', 'ready']]);
  expect(traffic.route(agent)?.backends.map(({ weight }) => weight)).toEqual([2]);
  await controller.stop();
});
