import { expect, it } from 'vitest';
import { conclude } from './conclude.ts';
import { blueGreen, world } from './testdata/staged-world.ts';

it('ends what was not ready in time while its process runs', () => {
  const { state } = world(blueGreen);
  const instances = Array.from(state().instances, (instance) => ({ ...instance, phase: 'giving_up' as const }));
  const process = { host: '127.0.0.1', port: 1, pid: 1, startedAt: '', logFile: '' };
  const observed = new Map(instances.map(({ id }) => [id, { status: 'running', health: 'unknown', process } as const]));
  const { commands } = conclude(
    { state: { ...state(), instances }, events: [] },
    { instances: observed, published: undefined, inFlight: undefined },
    0,
  );
  const stopped = commands.flatMap((command) => (command.type === 'stop' ? [command.instance] : []));
  expect(stopped).toEqual(instances.map(({ id }) => id));
});

it('knows what a kept release is made of although none of its instances is left', () => {
  const { deploy, state } = world(blueGreen);
  deploy('r-2');
  const kept = state().previous?.generation;
  const instances = state().instances.filter(({ generation }) => generation !== kept);
  const observation = { instances: new Map(), published: undefined, inFlight: undefined };
  const { state: after } = conclude({ state: { ...state(), instances }, events: [] }, observation, 0);
  expect(after.revisions.map(({ generation }) => generation)).toContain(kept);
});

it('looks again by itself when an instance that backs off is to be tried again, and not at a time that has come', () => {
  const { state } = world(blueGreen);
  const looksAt = (phase: 'backing_off' | 'crash_looping' | 'ready', retryAt: number): number | undefined => {
    const [first, ...others] = state().instances;
    const instances = first ? [{ ...first, phase, retryAt }, ...others] : [];
    const observation = { instances: new Map(), published: undefined, inFlight: undefined };
    return conclude({ state: { ...state(), instances }, events: [] }, observation, 1_000).wakeAt;
  };
  expect([looksAt('backing_off', 3_000), looksAt('crash_looping', 4_000), looksAt('backing_off', 1_000), looksAt('ready', 3_000)]).toEqual([
    3_000,
    4_000,
    undefined,
    undefined,
  ]);
});
