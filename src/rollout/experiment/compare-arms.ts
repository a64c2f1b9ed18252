import type { AnalysisSettings, ServiceState } from '../service-state.ts';
import type { Course } from '../course-state.ts';
import { comparisonsOf, type ExperimentFinding, judgeExperiment, rateOf } from '../evidence/experiment.ts';
import { revisionOf } from '../service-state.ts';
import { armCount, runningArms } from './arms.ts';
import { allOutcomes } from './counted-outcomes.ts';
import type { ArmCourse, ExperimentCourse, ExperimentSettings } from './experiment-state.ts';
import { evidenceOf } from './judge-arms.ts';

/** Every arm that is still in it beside control and the others, by all outcomes counted so far. */
export function comparedArms(state: ServiceState, experiment: ExperimentCourse, settings: ExperimentSettings): ExperimentFinding {
  const arms = runningArms(experiment).map(({ name, release }) => ({ name, release }));
  const control = revisionOf(state, state.stable)?.release ?? '';
  const rules = { alpha: settings.alpha, goal: settings.metric.goal, comparisons: comparisonsOf(armCount(settings)) };
  const finding = judgeExperiment(allOutcomes(experiment.outcomes), { arms, control }, rules);
  if (experiment.outcomes?.isComplete !== false) return finding;
  const { winner: _, ...rest } = finding;
  return { ...rest, outcome: 'error', because: 'some of what happened could not be counted' };
}

/** Who has fewer users with an outcome than are asked for: an arm's name or `control`; undefined when nobody has. */
export function shortOfUsers(
  state: ServiceState,
  experiment: ExperimentCourse,
  { minUnits }: ExperimentSettings,
): { readonly who: string; readonly units: number } | undefined {
  const counts = allOutcomes(experiment.outcomes);
  const control = { name: 'control', release: revisionOf(state, state.stable)?.release ?? '' };
  return [...runningArms(experiment), control]
    .map(({ name, release }) => ({ who: name, units: rateOf(counts, release).units }))
    .find(({ units }) => units < minUnits);
}

/** Arms of which too few requests were seen to say that they do no harm. */
export function unproven(course: Course, experiment: ExperimentCourse, analysis: AnalysisSettings): readonly ArmCourse[] {
  return runningArms(experiment).filter((arm) => (evidenceOf(arm, course)?.verdict.units ?? 0) < analysis.rules.minUnits);
}
