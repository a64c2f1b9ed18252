import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import { newServiceMemory, noteLook } from '../service-memory.ts';
import { revisionOf } from '../service-state.ts';
import { createVirtualClock } from './virtual-clock.ts';
import { desiredRelease, type StrategyName } from './desired-release.ts';
import { createWorld } from './world.ts';

describe('a control plane that was away in the middle of a rollout', () => {
  it.each<StrategyName>(['rolling', 'canary', 'blue_green'])('holds the time against no candidate: %s', async (strategy) => {
    const store = createMemoryStore();
    const events = createEventLog({ store, clock: createVirtualClock() });
    const behaviours = { one: { readyAfter: 100 }, two: { readyAfter: 2_000 } };
    const world = await createWorld({ store, events, behaviours });
    await world.controller.setDesired(desiredRelease('one', 'first'));
    await world.clock.advance(10_000);
    await world.controller.setDesired(desiredRelease('two', 'second', { strategy }));
    await world.clock.advance(500);
    await world.controller.stop();
    await world.clock.advance(3_600_000);
    await world.replaceController();
    await world.clock.advance(30_000);
    const state = await world.state();
    expect(state?.failure?.reason).toBeUndefined();
    expect(state && revisionOf(state, state.stable)?.release).toBe('two');
    await world.controller.stop();
  });

  it('has looked without a gap unless a look comes much later than it was due', () => {
    const memory = newServiceMemory(1_000);
    memory.dueAt = 2_000;
    noteLook(memory, 4_000);
    expect(memory.watchedSince).toBe(1_000);
    noteLook(memory, 3_600_000);
    expect(memory.watchedSince).toBe(1_000);
    memory.dueAt = 3_601_000;
    noteLook(memory, 7_200_000);
    expect(memory.watchedSince).toBe(7_200_000);
  });
});
