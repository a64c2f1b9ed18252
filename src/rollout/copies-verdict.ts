import type { Course } from './course-state.ts';
import type { Rules } from './evidence/judge.ts';
import type { AnalysisSettings, ServiceState } from './service-state.ts';

/**
 * The rules for either kind of evidence. Where there are copies to be judged too, each kind has half of alpha: the chance that one of them is
 * wrong is then no more than the whole. Copies say nothing about decisions and what else answers say: those of a client who left are not
 * known. They are only compared with their requests: limits are for what users meet.
 */
export function rulesFor(
  kind: 'requests' | 'copies',
  { settings }: Pick<ServiceState, 'settings'>,
  course: Course,
  { rules }: AnalysisSettings,
): Rules {
  const hasCopies = course.copies !== undefined || settings.rollout.stages?.some(({ mirror }) => mirror !== undefined) === true;
  const own = kind === 'copies' ? rulesOfCopies(rules) : { ...rules, ...(settings.rollout.affinity && { of: 'users' as const }) };
  return hasCopies ? { ...own, alpha: rules.alpha / 2 } : own;
}

function rulesOfCopies({ errors, latency, minUnits, alpha }: Rules): Rules {
  return {
    alpha,
    ...(errors && { errors: { tolerate: errors.tolerate } }),
    ...(latency && { latency: { quantiles: latency.quantiles } }),
    minUnits,
  };
}
