import type { Allowance } from '../../stack/fields/allowance.ts';
import type { DesiredService } from '../desired-state.ts';
import type { RevisionContent, RolloutSettings, ScalingSettings } from '../service-state.ts';

/** The one service of the modelled world. */
export const address = 'default/service/agent' as const;

/** `compared`: a canary that begins with copies and has a baseline. `experiment`: one with three arms, of which one never stays up. */
export type StrategyName = 'rolling' | 'canary' | 'blue_green' | 'compared' | 'experiment';

/** Short enough for a script that waits for everything to come to rest to wait for these too. */
const ofStrategy: Readonly<Record<StrategyName, Partial<RolloutSettings>>> = {
  rolling: {},
  canary: {
    stages: [
      { weight: 10, forMs: 2_000, approval: false },
      { weight: 60, forMs: 1_000, approval: false },
    ],
  },
  compared: {
    strategy: 'canary',
    stages: [
      { weight: 0, mirror: { percent: 60, methods: ['GET'] }, forMs: 1_000, approval: false },
      { weight: 30, forMs: 2_000, approval: false },
      { weight: 70, forMs: 500, approval: false },
    ],
    baseline: true,
    analysis: { rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 1 }, latencyTolerance: 1, noData: 'continue' },
  },
  experiment: {
    strategy: 'canary',
    stages: [
      { weight: 10, forMs: 1_000, approval: false },
      { weight: 60, forMs: 500, approval: false },
    ],
    affinity: { by: 'cookie', name: 'session' },
    analysis: { rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 1 }, latencyTolerance: 1, noData: 'continue' },
    experiment: {
      metric: { attribute: 'outcome', value: 'resolved', goal: 'more' },
      arms: ['warm', 'broken'],
      share: 60,
      forMs: 2_000,
      minUnits: 0,
      alpha: 0.05,
      onWinner: 'hold',
    },
  },
  blue_green: { fullSet: true, keepPreviousMs: 4_000 },
};

/** A service of release `release`, as a provider would ask for it. */
export function desiredRelease(
  release: string,
  operation: string,
  extra: {
    replicas?: number;
    maxSurge?: Allowance;
    maxUnavailable?: Allowance;
    strategy?: StrategyName;
    rollout?: Partial<RolloutSettings>;
    scaling?: ScalingSettings;
  } = {},
): DesiredService {
  const { replicas = 2, maxSurge = 1, maxUnavailable = 0, strategy = 'rolling', rollout = ofStrategy[strategy], scaling } = extra;
  const revision: RevisionContent = {
    release,
    version: '1.0.0',
    // An arm has the code of the release it is of.
    directory: `/releases/${release.replace(/-warm$/, '')}`,
    command: ['agent'],
    env: {},
    releaseEnv: {},
    configuration: 'sha256:0',
    health: { check: { type: 'http', path: '/healthz', timeoutMs: 100 }, intervalMs: 500, startPeriodMs: 5_000 },
  };
  const members = [
    { name: 'warm', content: { ...revision, release: `${release}-warm` } },
    { name: 'broken', content: { ...revision, release: 'crashing' } },
  ];
  return {
    address,
    environment: 'default',
    name: 'agent',
    operation,
    replicas,
    settings: {
      expose: [{ host: 'agent.localhost', path: '/' }],
      calls: [],
      drainMs: 2_000,
      ...(scaling && { scaling }),
      rollout: { strategy, maxSurge, maxUnavailable, progressDeadlineMs: 8_000, ...rollout },
    },
    revision,
    ...(strategy === 'experiment' && { arms: { of: release, members } }),
  };
}
