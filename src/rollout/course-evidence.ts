import { evidenceLayout } from './baseline.ts';
import type { Course } from './course-state.ts';
import { rulesFor } from './copies-verdict.ts';
import type { Counts, Verdict } from './evidence/judge.ts';
import { judgeOnce } from './evidence/judge-once.ts';
import { addCounts, noCounts } from './evidence/counts.ts';
import { safetyParts } from './experiment/arms.ts';
import type { ServiceState } from './service-state.ts';
import type { GatewayEvidence } from './strategy.ts';

type Evidence = NonNullable<Course['evidence']>;

/** The course with what the gateway has counted since, judged anew. Counts of earlier lives of the gateway are kept. */
export function foldEvidence(state: ServiceState, course: Course, seen: GatewayEvidence | undefined): Course {
  const { analysis } = state.settings.rollout;
  if (!analysis || !seen) return course;
  const layout = evidenceLayout(state, analysis.rules);
  const known = ofLayout(course.evidence, layout);
  // The gateway counts for another rollout, or not yet: what it has counted of this one may come again.
  if (known && seen.epoch === '') return course;
  const before = accumulated(known, seen.epoch, seen.counts);
  const thresholds = known?.thresholds ?? seen.stableLatencies;
  const rules = rulesFor('requests', state, course, analysis);
  // Each arm may be taken back by mistake: together no more often than is declared.
  const judged = judgeOnce(addCounts(before, seen.counts), { ...rules, alpha: rules.alpha / safetyParts(state.settings.rollout) });
  const verdict: Verdict = seen.isComplete
    ? judged
    : { ...judged, verdict: 'error', because: 'some of what happened could not be counted' };
  return { ...course, evidence: { ...(thresholds && { thresholds }), layout, before, epoch: seen.epoch, current: seen.counts, verdict } };
}

/** What was counted for other rules tells these nothing: somebody has declared them anew. */
export function ofLayout<Known extends { readonly layout?: string }>(known: Known | undefined, layout: string): Known | undefined {
  return (known?.layout ?? layout) === layout ? known : undefined;
}

/** What earlier lives of the gateway had counted, now that it tells `counts`. */
export function accumulated(known: Pick<Evidence, 'before' | 'epoch' | 'current'> | undefined, epoch: string, counts: Counts): Counts {
  const isSameLife = known === undefined || (known.epoch === epoch && unitsOf(counts) >= unitsOf(known.current));
  return isSameLife ? (known?.before ?? noCounts) : addCounts(known.before, known.current);
}

/** Counts that have become fewer were begun anew. */
function unitsOf({ units }: Counts): number {
  return units.reduce((sum, { candidate, stable }) => sum + candidate + stable, 0);
}
