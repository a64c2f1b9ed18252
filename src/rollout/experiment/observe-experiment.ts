import { countsOf } from '../counted-evidence.ts';
import { noCounts } from '../evidence/counts.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { evidenceId, experimentId } from '../service-route.ts';
import type { GatewayEvidence, ObservedExperiment } from '../strategy.ts';
import type { Traffic } from '../traffic.ts';
import { runningExperiment } from './arms.ts';
import { outcomesOf } from './counted-outcomes.ts';

/** What the gateway has counted of the arms; undefined while no experiment is being made. */
export async function observeExperiment(state: ServiceState, traffic: Traffic): Promise<ObservedExperiment | undefined> {
  const { candidate, settings } = state;
  const { analysis, experiment: declared } = settings.rollout;
  const experiment = runningExperiment(candidate?.course);
  const stable = revisionOf(state, state.stable)?.release;
  if (!candidate || !analysis || !declared || !experiment || stable === undefined) return undefined;
  const [safety, outcomes] = await Promise.all([
    traffic.evidence(state, evidenceId(state, candidate, analysis)),
    traffic.evidence(state, experimentId(state, candidate)),
  ]);
  // Frozen with the rollout, alike for all arms.
  const stableLatencies = candidate.course?.evidence?.thresholds;
  const arms = experiment.arms.map(({ generation }): [number, GatewayEvidence] => {
    const release = revisionOf(state, generation)?.release ?? '';
    const counts = safety ? countsOf(safety.strata, { candidate: release, stable }, analysis.rules) : noCounts;
    return [generation, { epoch: safety?.epoch ?? '', counts, isComplete: safety?.isComplete ?? true, stableLatencies }];
  });
  return {
    arms: new Map(arms),
    outcomes: {
      epoch: outcomes?.epoch ?? '',
      counts: outcomes ? outcomesOf(outcomes.strata, declared.metric.value) : [],
      isComplete: outcomes?.isComplete ?? true,
    },
  };
}
