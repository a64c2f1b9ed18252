import type { Course } from './course-state.ts';
import { type Counts, judge, type Verdict } from './evidence/judge.ts';
import { layoutOf } from './counted-evidence.ts';
import { addCounts, noCounts } from './evidence/counts.ts';
import type { ServiceState } from './service-state.ts';
import type { GatewayEvidence } from './strategy.ts';

/** The course with what the gateway has counted since, judged anew. Counts of earlier lives of the gateway are kept. */
export function foldEvidence({ settings }: ServiceState, course: Course, seen: GatewayEvidence | undefined): Course {
  const { analysis } = settings.rollout;
  if (!analysis || !seen) return course;
  const layout = layoutOf(analysis.rules);
  // What was counted for other rules tells these nothing: somebody has declared them anew.
  const known = (course.evidence?.layout ?? layout) === layout ? course.evidence : undefined;
  // The gateway counts for another rollout, or not yet: what it has counted of this one may come again.
  if (known && seen.epoch === '') return course;
  const isSameLife = known === undefined || (known.epoch === seen.epoch && unitsOf(seen.counts) >= unitsOf(known.current));
  const before = isSameLife ? (known?.before ?? noCounts) : addCounts(known.before, known.current);
  const thresholds = known?.thresholds ?? seen.stableLatencies;
  const judged = judge(addCounts(before, seen.counts), analysis.rules);
  const verdict: Verdict = seen.isComplete
    ? judged
    : { ...judged, verdict: 'error', because: 'some of what happened could not be counted' };
  return { ...course, evidence: { ...(thresholds && { thresholds }), layout, before, epoch: seen.epoch, current: seen.counts, verdict } };
}

/** Counts that have become fewer were begun anew. */
function unitsOf({ units }: Counts): number {
  return units.reduce((sum, { candidate, stable }) => sum + candidate + stable, 0);
}
