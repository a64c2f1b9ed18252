import { modelRollout } from './modelled-rollout.ts';
import type { Course, Question } from './question.ts';

/** Rollouts that one thread plays one after the other. */
export interface Stretch {
  readonly question: Question;
  readonly seeds: readonly number[];
}

export async function playStretch({ question, seeds }: Stretch): Promise<readonly Course[]> {
  const courses: Course[] = [];
  for (const seed of seeds) courses.push(await modelRollout(question, seed));
  return courses;
}
