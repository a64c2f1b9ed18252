import { hasStages } from '../course.ts';
import { newCourse, type Course } from '../course-state.ts';
import type { Advanced } from '../instance-lifecycle.ts';
import { failRollout, holdRollout } from '../rollout-outcome.ts';
import type { Candidate, ServiceState } from '../service-state.ts';
import type { HookAnswers, HookRun, HookRuns } from './hook.ts';
import { hooksAt } from './stage-hooks.ts';

/**
 * The state with the answers that have come in, which is when it came nearer to its end. One that was overruled or asked anew meanwhile
 * is not changed by an answer to something else: answers are looked for by the round.
 */
export function withHookAnswers(advanced: Advanced, answers: HookAnswers | undefined, now: number): Advanced {
  const { candidate } = advanced.state;
  const runs = candidate?.course?.hooks;
  if (!candidate?.course || !runs || !answers || answers.size === 0) return advanced;
  const folded: Record<string, HookRun> = { ...runs };
  for (const [key, answer] of answers) {
    const run = runs[key];
    if (run?.status !== 'due') continue;
    const { round } = run;
    folded[key] =
      answer.outcome === 'passed'
        ? { status: 'passed', round, since: now }
        : { status: 'failed', round, since: now, reason: answer.reason };
  }
  const next: Candidate = { ...candidate, progressAt: now, course: { ...candidate.course, hooks: folded } };
  return { ...advanced, state: { ...advanced.state, candidate: next } };
}

/**
 * Whether the hooks at this point let the rollout go on: undefined when they do, else what is done instead. They are asked when it gets
 * here, all at once; a failure takes the candidate back, holds it or is passed over, as the hook says. Pure.
 */
export function waitForHooks(state: ServiceState, when: 'before' | 'after', now: number): Advanced | undefined {
  const { candidate } = state;
  if (!candidate) return undefined;
  const course = { ...newCourse, ...candidate.course };
  const placed = hooksAt(state, course.stage, when);
  const runs: HookRuns = course.hooks ?? {};
  const failed = placed.filter(({ key }) => runs[key]?.status === 'failed');
  const fatal = failed.find(({ settings }) => settings.onFailure === 'rollback');
  // Of one that is rolled, stable may be too few by the end to answer alone.
  const withdrawn = when === 'before' || hasStages(state);
  if (fatal) return failRollout(state, inWords(fatal.settings.name, runs[fatal.key]), { withdrawn });

  const next: Record<string, HookRun> = {};
  for (const { key, settings } of placed) {
    const run = runs[key];
    if (!run) next[key] = { status: 'due', round: 1, since: now };
    else if (run.status === 'failed' && settings.onFailure === 'hold') {
      // Held once for it; whoever lets the rollout go on has it asked again.
      next[key] = run.held === true ? { status: 'due', round: run.round + 1, since: now } : { ...run, held: true };
    }
  }
  const after = Object.keys(next).length === 0 ? state : withRuns(state, course, { ...runs, ...next });
  const held = placed.find(({ key }) => next[key]?.status === 'failed');
  if (held) return holdRollout(after, inWords(held.settings.name, runs[held.key]), now);
  const waits = placed.some(({ key }) => (next[key] ?? runs[key])?.status === 'due');
  return waits ? { state: after, events: [] } : undefined;
}

/** A course in which no hook that was reached is waited for or stands against it any more: somebody goes on without. */
export function withHooksOverruled(course: Course): Course {
  if (!course.hooks) return course;
  const hooks = Object.entries(course.hooks).map(([key, run]): [string, HookRun] => [
    key,
    run.status === 'due' || run.status === 'failed' ? { ...run, status: 'overruled' } : run,
  ]);
  return { ...course, hooks: Object.fromEntries(hooks) };
}

/** Whether it waits for a hook, or is held because one said no. */
export function asksHooks({ candidate }: ServiceState): boolean {
  return Object.values(candidate?.course?.hooks ?? {}).some(
    (run) => run.status === 'due' || (run.status === 'failed' && run.held === true),
  );
}

function withRuns(state: ServiceState, course: Course, hooks: HookRuns): ServiceState {
  return { ...state, candidate: { ...(state.candidate as Candidate), course: { ...course, hooks } } };
}

function inWords(name: string, run: HookRun | undefined): string {
  return `the hook ${name} failed: ${run?.reason ?? 'it gave no reason'}`;
}
