import { expect, it } from 'vitest';
import { withDesired } from './desired-state.ts';
import type { HealthSettings, ServiceState, Treatment } from './service-state.ts';
import { revisionOf } from './service-state.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import { blueGreen, canary, stage, world } from './testdata/staged-world.ts';

const treatment = (concurrency: number): Treatment => ({
  drainMs: concurrency * 1_000,
  policies: { limits: { concurrency, queue: 1, queueMs: 1, priority: 'normal' } },
});
const health = (path: string): HealthSettings => ({ check: { type: 'http', path, timeoutMs: 1 }, intervalMs: 10, startPeriodMs: 10 });

/** Blocks that differ in everything beside the release, too. */
const block = (release: string, size: number, rollout: object) => {
  const { settings, revision, ...rest } = desiredRelease(release, release, { replicas: 2 });
  return {
    ...rest,
    settings: { ...settings, ...treatment(size), rollout: { ...settings.rollout, ...rollout } },
    revision: { ...revision, health: health(`/h${size}`), limits: { memoryBytes: size } },
  };
};
const inForce = (state: ServiceState) => {
  const { drainMs, policies } = state.settings;
  const { health: checked, limits } = revisionOf(state, state.stable) ?? {};
  return { drainMs, policies, path: checked?.check.type === 'http' ? checked.check.path : '', memory: limits?.memoryBytes };
};
const of = (size: number) => ({ ...treatment(size), path: `/h${size}`, memory: size });

it.each([
  ['started anew', {}],
  ['kept ready', blueGreen],
])('a release that is returned to, %s, gets the checks, limits and drain it was in use with', (_, rollout) => {
  const place = world(rollout, 2);
  place.replace((state) => withDesired(state, block('r-2', 2, rollout), 0));
  place.replace((state) => withDesired(state, block('r-3', 3, rollout), 0));
  expect(inForce(place.state())).toEqual(of(3));
  place.operate({ type: 'rollback', to: 'r-2' });
  expect(inForce(place.state())).toEqual(of(2));
  place.operate({ type: 'rollback', to: 'r-3' });
  expect(inForce(place.state())).toEqual(of(3));
});

it('is remembered as it was before a candidate brought other settings, also when that was taken back', () => {
  const place = world({}, 2);
  place.replace((state) => withDesired(state, block('r-2', 2, {}), 0));
  place.replace((state) => withDesired(state, block('r-3', 3, { ...canary, stages: [stage(5, 0, true)] }), 0));
  place.operate({ type: 'abort' });
  place.replace((state) => withDesired(state, block('r-4', 4, {}), 0));
  expect(inForce(place.state())).toEqual(of(4));
  place.operate({ type: 'rollback' });
  expect(inForce(place.state())).toEqual(of(2));
});

it('of a release that an older version has recorded without it stays as it is today', () => {
  const place = world({}, 2);
  place.replace((state) => withDesired(state, block('r-2', 2, {}), 0));
  place.replace((state) => withDesired(state, block('r-3', 3, {}), 0));
  place.replace((state) => ({ ...state, history: (state.history ?? []).map(({ treatment: __, ...former }) => former) }));
  place.operate({ type: 'rollback', to: 'r-2' });
  expect(inForce(place.state())).toEqual({ ...of(2), ...treatment(3) });
});
