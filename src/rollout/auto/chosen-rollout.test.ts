import { expect, it } from 'vitest';
import type { ReleaseChange } from '../../release/difference/release-change.ts';
import { rollout as language } from '../../stack/kinds/service/rollout.ts';
import { failedBefore, newService, restarted, withDesired } from '../desired-state.ts';
import { operated } from '../operate.ts';
import { recorded } from '../rollout-record.ts';
import { rolloutOf } from '../rollout-view.ts';
import type { RolloutSettings, ServiceState } from '../service-state.ts';
import { desiredRelease } from '../simulation/desired-release.ts';
import { chosenRollout } from './chosen-rollout.ts';
import { forecastRollout } from './forecast.ts';

const prompt: ReleaseChange = {
  version: { from: '1.0.0', to: '1.1.0', bump: 'minor' },
  files: [{ part: 'prompts', path: 'prompts/a.md', change: 'changed' }],
  prompts: [],
  environment: [],
  apiComparison: 'none',
  api: [],
  migrations: [],
};
const auto = language.parse({ strategy: 'auto' });
const desired = (release: string, rollout: RolloutSettings, operation = release) => {
  const { settings, ...rest } = desiredRelease(release, operation);
  return { ...rest, settings: { ...settings, rollout } };
};
const choose = (state: ServiceState | undefined, release: string, change?: ReleaseChange, declared = auto): RolloutSettings =>
  chosenRollout({ declared, replicas: 2, release, state, change });

/** r-1 is in use, and r-2 has been chosen a canary. */
function underWay(): ServiceState {
  const first = newService(desired('r-1', choose(undefined, 'r-1')), { uid: 'a1', token: { sealed: '', digest: '' } }, 0);
  const { candidate, ...rest } = first;
  const stable: ServiceState = { ...rest, stable: candidate?.generation ?? 0 };
  return recorded(stable, withDesired(stable, desired('r-2', choose(stable, 'r-2', prompt)), 1), 1);
}

it('is chosen once, and shown by the record and the view of the rollout', () => {
  const state = underWay();
  const because = 'minor version, prompt changed: canary 5, 25, 50';
  expect(state.rollouts?.[0]).toMatchObject({ strategy: 'canary', because });
  expect(rolloutOf(state, 2)).toMatchObject({ strategy: 'canary', because, stages: { steps: [{ weight: 5 }, {}, {}, { weight: 100 }] } });
});

it('is not chosen again by a later apply of what is under way, not even when it would come out otherwise', () => {
  const state = underWay();
  const again = choose(state, 'r-2', { ...prompt, files: [] });
  expect(again).toEqual(state.settings.rollout);
  const next = recorded(state, withDesired(state, desired('r-2', again, 'other-operation'), 2), 2);
  expect([next.candidate, next.rollouts]).toEqual([state.candidate, state.rollouts]);
});

it('is the same for a release that was taken back, whatever it superseded, so that it is not tried again', () => {
  const before = underWay();
  const state = { ...before, candidate: { ...(before.candidate as object), course: { stage: 0, weight: 5 } } } as ServiceState;
  const third = desired('r-3', choose(state, 'r-3', { ...prompt, files: [] }));
  const failed = operated(withDesired(state, third, 2), { type: 'abort' }, 'ada', 3);
  expect(failed.settings.rollout.strategy).toBe('blue_green');
  const again = desired('r-3', choose(failed, 'r-3', { ...prompt, files: [] }), 'later');
  expect(failedBefore(failed, again)).toBe('aborted by ada');
  expect(choose(failed, 'r-4', prompt).strategy).toBe('canary');
});

it('still takes what is declared anew beside it', () => {
  const declared = language.parse({ strategy: 'auto', steps: [{ weight: 40 }] });
  expect(choose(underWay(), 'r-2', prompt, declared)).toMatchObject({ strategy: 'canary', stages: [{ weight: 40 }] });
  const explicit = choose(underWay(), 'r-2', prompt, language.parse({ strategy: 'rolling' }));
  expect([explicit.strategy, explicit.chosen]).toEqual(['rolling', undefined]);
});

it('is chosen anew for another release, which keeps stable whole beside the candidate it supersedes', () => {
  const state = underWay();
  const staged = { ...state, candidate: { ...(state.candidate as object), course: { stage: 0, weight: 5 } } } as ServiceState;
  expect(choose(staged, 'r-3', { ...prompt, files: [] }).strategy).toBe('blue_green');
  expect(choose(staged, 'r-1').strategy).toBe('blue_green');
  expect(choose(state, 'r-3', prompt).strategy).toBe('canary');
});

it('goes at once when a release that was in use is returned to', () => {
  const state = underWay();
  const { candidate, ...rest } = state;
  const history = state.revisions.filter(({ release }) => release === 'r-1');
  const later: ServiceState = { ...rest, stable: candidate?.generation ?? 0, history };
  expect(choose(later, 'r-1', prompt).chosen?.because).toBe('minor version, prompt changed: rolling, because it was in use before');
});

it('says nothing of why of a restart or a return by hand, which nobody has chosen a way for', () => {
  const { candidate, failure: _, ...rest } = underWay();
  const settled: ServiceState = { ...rest, stable: candidate?.generation ?? 0, history: rest.revisions.slice(0, 1) };
  const again = restarted(settled, 5);
  expect(again && recorded(settled, again, 5).rollouts?.[0]?.because).toBeUndefined();
  const back = recorded(settled, operated(settled, { type: 'rollback' }, 'ada', 5), 5);
  expect(back.rollouts?.[0]).toMatchObject({ strategy: 'rollback', release: 'r-1' });
  expect(back.rollouts?.[0]?.because).toBeUndefined();
});

it('is forecast with its cost, as it will be chosen', () => {
  const { candidate: _, ...stable } = underWay();
  expect(
    forecastRollout({ rollout: auto, replicas: 4 }, { state: { ...stable, stable: 1 }, release: 'r-2', change: prompt }),
  ).toMatchObject({
    strategy: 'canary',
    because: 'minor version, prompt changed: canary 5, 25, 50',
    way: '5 % for 2m, then 25 % for 3m, then 50 % for 5m, then 100 %; taken back by itself at evidence against it or a failing start',
    cost: { extra: { least: 1, most: 4 }, forMs: 600_000, words: '1 to 4 instances more for at least 10m, 15 instance-minutes' },
  });
  expect(forecastRollout({ rollout: auto, replicas: 4 }, { state: undefined, release: 'r-1' })).toMatchObject({
    because: 'first deployment: rolling',
    cost: { words: 'no instances but its own' },
  });
  const rolling = language.parse({});
  expect(forecastRollout({ rollout: rolling, replicas: 4 }, { state: undefined, release: 'r-1' })).toBeUndefined();
  expect(forecastRollout({ rollout: rolling, replicas: 4 }, { state: underWay(), release: 'r-2', change: prompt })).toMatchObject({
    strategy: 'rolling',
    cost: { words: '1 instance more meanwhile' },
  });
});
