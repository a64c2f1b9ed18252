import { jsonEquals, type Json } from '../digest/json.ts';
import { timestamp } from '../effects/clock.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { chosenRollout, type RolloutOccasion } from './auto/chosen-rollout.ts';
import { healthOf, limitsOf } from './service-specification.ts';
import { revisionOf } from './service-state.ts';

/** A declared release that was taken back, while what was in use before still is. */
export interface TakenBack {
  readonly release: string;
  readonly reason: string;
  /** What serves instead. */
  readonly runs: string;
  /** When, as an ISO time to the second; absent when the rollout is no longer on record. */
  readonly at?: string;
  /**
   * What an apply of it does: `no` is refused, `yes` begins again because the way or the settings of its instances are others, `unless same`
   * depends on what a plan does not know (what the arms of an experiment are made of).
   */
  readonly isTriedAgain: 'no' | 'yes' | 'unless same';
}

/** Undefined where what is declared was not what failed last. As `failedBefore`, by what can be told without opening a secret. Pure. */
export function takenBack(
  fields: Pick<ServiceFields, 'rollout' | 'replicas' | 'scaling' | 'health' | 'resources'>,
  { state, release, change }: Pick<RolloutOccasion, 'state' | 'release'> & { readonly change?: RolloutOccasion['change'] },
): TakenBack | undefined {
  const { failure, candidate } = state ?? {};
  const stable = state && revisionOf(state, state.stable);
  if (!state || !failure || candidate || !stable) return undefined;
  const origin = failure.began ?? failure.generation;
  const failed = revisionOf(state, origin);
  if ((failed?.release ?? failure.release) !== release) return undefined;
  const replicas = fields.scaling ? Math.max(fields.scaling.min, state.replicas) : fields.replicas;
  const settings = chosenRollout({ declared: fields.rollout, replicas, release, state, change });
  const { health, limits } = failed ?? {};
  const isSame =
    jsonEquals(asJson(settings), asJson(state.settings.rollout)) &&
    (!failed || (jsonEquals(asJson(healthOf(fields)), asJson(health)) && jsonEquals(asJson(limitsOf(fields)), asJson(limits))));
  const endedAt = state.rollouts?.find(({ generation }) => generation === origin)?.endedAt;
  return {
    release,
    reason: failure.reason,
    runs: stable.release,
    ...(endedAt !== undefined && { at: `${timestamp(endedAt).slice(0, 19)}Z` }),
    isTriedAgain: isSame ? (settings.experiment ? 'unless same' : 'no') : 'yes',
  };
}

/** For the way of a rollout that there will not be. */
export function refusedInWords({ release, at }: TakenBack): string {
  return `${release} was taken back${at === undefined ? '' : ` at ${at}`} and is not tried again as it is`;
}

function asJson(value: unknown): Json {
  return (value ?? null) as Json;
}
