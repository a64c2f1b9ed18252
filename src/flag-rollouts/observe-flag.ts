import { type FlagRecord, valueOf } from '../flags/flag.ts';
import { countsOf } from '../rollout/counted-evidence.ts';
import { type FlagCounts, revisionOf, type ServiceState } from '../rollout/service-state.ts';
import type { Traffic } from '../rollout/traffic.ts';
import { attributeOf, countsId, type FlagRollout, shareOf } from './flag-rollout.ts';
import type { FlagObservation } from './step.ts';

/**
 * What the gateway is to count for a rollout now; undefined before the first step has been noticed. While a later one is being noticed it counts
 * nothing, and keeps in mind who was served what. Thresholds come in pairs, as of releases.
 */
export function countsOfFlag(rollout: FlagRollout): FlagCounts | undefined {
  const { flag, variant, thresholds = [], latencyTolerance, phase, evidence, end } = rollout;
  const isNoticed = phase === 'counting';
  if (end || (!isNoticed && evidence === undefined)) return undefined;
  return {
    id: countsId(rollout),
    attribute: attributeOf(flag),
    variant,
    ...(isNoticed && { probability: shareOf(rollout) / 100 }),
    thresholds: thresholds.flatMap((threshold) => [threshold, threshold * latencyTolerance]),
  };
}

/** Looks at a flag, its service and what the gateway has counted of both. */
export async function observeFlag(
  rollout: FlagRollout,
  record: FlagRecord | undefined,
  state: ServiceState | undefined,
  traffic: Pick<Traffic, 'evidence' | 'latencies'>,
  isTold: boolean | undefined,
): Promise<FlagObservation> {
  const { environment, service: name, rules, variant, thresholds, phase } = rollout;
  const service = { environment, name };
  const stable = state && revisionOf(state, state.stable)?.release;
  const isUnknown = rules.latency !== undefined && thresholds === undefined && phase === 'noticing' && stable !== undefined;
  const latencies = isUnknown ? await traffic.latencies(service, stable, rules.latency?.quantiles ?? []) : undefined;
  const counted = phase === 'counting' ? await traffic.evidence(service, countsId(rollout)) : undefined;
  const isOurs = counted?.id === countsId(rollout);
  return {
    override: record?.override,
    exists: record !== undefined && valueOf(record.definition, variant) !== undefined && state?.mode === 'running' && stable !== undefined,
    isTold,
    isServiceBusy: state?.candidate !== undefined,
    ...(isOurs && {
      counted: {
        epoch: counted.epoch,
        counts: countsOf(counted.strata, { candidate: 'variant', stable: 'others' }, rules),
        isComplete: counted.isComplete,
      },
    }),
    ...(latencies && { latencies }),
  };
}
