import { sluiceError } from '../errors/sluice-error.ts';
import type { FlagRecord } from '../flags/flag.ts';
import { valueOf } from '../flags/flag.ts';
import type { FlagRollout } from './flag-rollout.ts';

export interface FlagRolloutRequest {
  readonly variant: string;
  readonly service: string;
  /** Percentages between 0 and 100, growing. */
  readonly steps: readonly number[];
  readonly stepMs: number;
  readonly noticeMs: number;
  readonly attribute: string;
  readonly alpha: number;
  /** How many times the others' rate of errors is tolerated. */
  readonly errorTolerance: number;
  /** Latency is not compared without it. */
  readonly latency?: { readonly quantile: number; readonly tolerance: number } | undefined;
  readonly minUnits: number;
}

/** Pure. Throws `unknown_variant`, and `flag_rollout_impossible` where a comparison would say nothing. */
export function newFlagRollout(
  record: FlagRecord,
  request: FlagRolloutRequest,
  who: { readonly id: string; readonly by: string; readonly reason?: string | undefined },
  now: number,
): FlagRollout {
  const { definition, override } = record;
  const { variant, latency } = request;
  const refuse = (reason: string): never => {
    throw sluiceError('flag_rollout_impossible', { flag: record.name, reason });
  };
  if (valueOf(definition, variant) === undefined) {
    throw sluiceError('unknown_variant', { flag: record.name, variant, known: Object.keys(definition.variants) });
  }
  if (override?.action === 'kill') refuse('it was killed: clear it first');
  if (override?.action === 'serve' && override.variant === variant) refuse(`everybody is served ${variant} already`);
  const isServed =
    definition.default === variant || definition.rules.some(({ serve, split = {} }) => serve === variant || (split[variant] ?? 0) > 0);
  if (isServed) refuse(`its rules serve ${variant} to some already, so that those who are drawn could not be told from the others`);
  if (request.steps.some((percent, index) => percent <= (request.steps[index - 1] ?? 0) || percent >= 100)) {
    refuse('its steps have to grow, between 0 and 100');
  }
  return {
    id: who.id,
    environment: record.environment,
    flag: record.name,
    variant,
    attribute: request.attribute,
    service: request.service,
    steps: [...request.steps],
    stepMs: request.stepMs,
    noticeMs: request.noticeMs,
    rules: {
      alpha: request.alpha,
      errors: { tolerate: request.errorTolerance },
      ...(latency && { latency: { quantiles: [latency.quantile] } }),
      minUnits: request.minUnits,
      // A flag is drawn for users, who keep what they got.
      of: 'users',
    },
    latencyTolerance: latency?.tolerance ?? 1,
    ...(override && { before: override }),
    startedAt: now,
    by: who.by,
    ...(who.reason !== undefined && { reason: who.reason }),
    step: 0,
    phase: 'noticing',
    since: now,
  };
}
