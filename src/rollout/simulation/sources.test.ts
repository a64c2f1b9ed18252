import { expect, it } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import type { Measured, SourceSettings } from '../sources/source.ts';
import { createVirtualClock } from './virtual-clock.ts';
import { desiredRelease } from './desired-release.ts';
import { createWorld } from './world.ts';

const source: SourceSettings = {
  name: 'check',
  ask: { type: 'command', command: ['check'] },
  intervalMs: 1_000,
  timeoutMs: 1_000,
  failures: 1,
  errors: 1,
};

/** A canary that is judged by one source, whose controller dies at its effect number `effect`. A measurement takes 300 ms. */
async function rollOut(says: (measurement: number) => Measured, effect: number, moment: 'before' | 'after') {
  const store = createMemoryStore();
  const events = createEventLog({ store, clock: createVirtualClock() });
  let asked = 0;
  const world = await createWorld({
    store,
    events,
    behaviours: {},
    measure: (clock) => async () => {
      asked += 1;
      const measured = says(asked);
      await clock.sleep(300);
      return measured;
    },
  });
  const analysis = { rules: { alpha: 0.05, minUnits: 1 }, latencyTolerance: 1, sources: [source], noData: 'hold' as const };
  const desired = desiredRelease('two', 'second', { strategy: 'canary' });
  const settings = { ...desired.settings, rollout: { ...desired.settings.rollout, analysis } };
  await world.controller.setDesired(desiredRelease('one', 'first'));
  await world.clock.advance(10_000);
  world.crashAt(effect, moment);
  // A controller that dies at this very effect has recorded it, or is asked again.
  await world.controller.setDesired({ ...desired, settings }).catch(() => world.controller.setDesired({ ...desired, settings }));
  await world.clock.advance(60_000);
  const state = (await world.state()) as ServiceState;
  await world.controller.stop();
  return { stable: revisionOf(state, state.stable)?.release, failure: state.failure, asked };
}

const crashes = Array.from({ length: 7 }, (_, index) => [3 * index + 1, index % 2 === 0 ? 'before' : 'after'] as const);

it('a rollout that a source passes ends the same way wherever its controller dies, and is measured no more often than it has to be', async () => {
  for (const [effect, moment] of crashes) {
    const { asked, ...end } = await rollOut(() => ({ outcome: 'pass' }), effect, moment);
    expect([effect, moment, end]).toEqual([effect, moment, { stable: 'two', failure: undefined }]);
    expect([asked > 3, asked < 10]).toEqual([true, true]);
  }
});

it('a failure is counted once and told with its numbers wherever the controller dies, and errors conclude nothing', async () => {
  for (const [effect, moment] of crashes) {
    const { stable, failure } = await rollOut(() => ({ outcome: 'fail' }), effect, moment);
    expect([stable, failure?.reason]).toEqual(['one', 'check failed 2 times in a row: check: fail (command, 0 passed, 2 failed)']);
  }
  const away = await rollOut(() => ({ outcome: 'error', said: 'gone' }), 5, 'after');
  expect([away.stable, away.failure]).toEqual(['one', undefined]);
  const back = await rollOut((measurement) => (measurement < 20 ? { outcome: 'error', said: 'gone' } : { outcome: 'pass' }), 5, 'after');
  expect(back.stable).toBe('two');
});
