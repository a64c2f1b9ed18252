import { stageOf } from './course.ts';
import { type Course, newCourse } from './course-state.ts';
import type { Rules, Verdict } from './evidence/judge.ts';
import type { AnalysisSettings, ServiceState } from './service-state.ts';

type Settled = Pick<ServiceState, 'settings'>;

/**
 * The rules for either kind of evidence. Where there are copies to be judged too, each kind has half of alpha: the chance that one of them is
 * wrong is then no more than the whole. Copies say nothing about decisions: those of a client who left are not known.
 */
export function rulesFor(kind: 'requests' | 'copies', { settings }: Settled, course: Course, { rules }: AnalysisSettings): Rules {
  const hasCopies = course.copies !== undefined || settings.rollout.stages?.some(({ mirror }) => mirror !== undefined) === true;
  if (!hasCopies) return rules;
  const { decisions: _, ...ofCopies } = rules;
  return { ...(kind === 'copies' ? ofCopies : rules), alpha: rules.alpha / 2 };
}

/** What decides over the candidate at its stage: copies while requests are copied to it, else the requests it has answered; never both. */
export function decidingVerdict(state: Settled, course: Course): Verdict | undefined {
  if (stageOf(state, course).mirror === undefined) return course.overruled === true ? undefined : course.evidence?.verdict;
  return course.copies?.overruled === true ? undefined : course.copies?.verdict;
}

/** What there is to be seen of a course: as it decides, or, while the candidate has answered nothing, what its copies had come to. */
export function shownVerdict(state: Settled, course: Course = newCourse): Verdict | undefined {
  const { evidence, copies } = course;
  if (stageOf(state, course).mirror !== undefined) return copies?.verdict;
  return copies !== undefined && (evidence?.verdict.units ?? 0) === 0 ? copies.verdict : evidence?.verdict;
}

/** What is not listened to any more when somebody goes on from the stage against what speaks against it. */
export function overruledBy(state: Settled, course: Course): Pick<Course, 'overruled' | 'copies'> {
  const verdict = decidingVerdict(state, course)?.verdict;
  if (verdict !== 'fail' && verdict !== 'error') return {};
  const isOfCopies = stageOf(state, course).mirror !== undefined;
  return isOfCopies && course.copies ? { copies: { ...course.copies, overruled: true } } : { overruled: true };
}
