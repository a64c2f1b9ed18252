import { playStory } from './campaign.ts';
import type { RandomScript } from './random-script.ts';
import type { Step } from './script.ts';

/** A story that still breaks the invariant, and nothing of which can be left out. */
export interface Shrunk {
  readonly story: RandomScript;
  readonly violations: readonly string[];
  /** Stories that were played on the way. */
  readonly tries: number;
}

/**
 * Leaves out of a story whatever it breaks the same invariant without: steps in ever smaller runs (Zeller and Hildebrandt, "Simplifying and
 * Isolating Failure-Inducing Input", 2002), then crashes, pauses, people, traffic and what is declared, until nothing more can go.
 * Undefined when the story keeps every invariant.
 */
export async function shrink(given: RandomScript, tell: (line: string) => void = () => undefined): Promise<Shrunk | undefined> {
  let tries = 1;
  let { violations } = await playStory(given);
  const [broken] = violations;
  if (broken === undefined) return undefined;
  const kind = kindOf(broken);
  let story = given;

  async function isEnough(smaller: RandomScript): Promise<boolean> {
    tries += 1;
    const found = (await playStory(smaller)).violations.filter((violation) => kindOf(violation) === kind);
    if (found.length === 0) return false;
    [story, violations] = [smaller, found];
    tell(`${story.steps.length} steps after ${tries} stories: ${found[0]}`);
    return true;
  }

  async function withoutSteps(): Promise<void> {
    for (let length = Math.ceil(story.steps.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
      for (let from = 0; from < story.steps.length; ) {
        const steps = story.steps.toSpliced(from, length);
        if (steps.length === 0 || !(await isEnough({ ...story, steps }))) from += length;
      }
    }
  }

  /** Whether any step could be made simpler. */
  async function withSimplerSteps(): Promise<boolean> {
    let isSimpler = false;
    for (let index = 0; index < story.steps.length; index += 1) {
      for (const simpler of simplerOf(story.steps[index] as Step)) {
        if (await isEnough({ ...story, steps: story.steps.with(index, simpler) })) isSimpler = true;
      }
    }
    return isSimpler;
  }

  for (const quiet of [{ perSecond: 0 }, { isTold: false }, { users: 50 }])
    await isEnough({ ...story, options: { ...story.options, ...quiet } });
  do await withoutSteps();
  while (await withSimplerSteps());
  return { story, violations, tries };
}

/** The invariant, and the words that are the same whatever it happened to. */
function kindOf(violation: string): string {
  return (
    violation
      .replaceAll(/[\d.]+/g, '')
      .split(' ')
      .slice(-3)
      .join(' ') + violation.slice(0, 1)
  );
}

/** The step with one thing less in it each. */
function* simplerOf(step: Step): Generator<Step> {
  const { action, pause, crash } = step;
  if (crash) yield { action, pause };
  if (crash && crash.moment !== 'before') yield { ...step, crash: { ...crash, moment: 'before' } };
  if (pause > 0) yield { ...step, pause: 0 };
  if (action.type === 'deploy') {
    const { rollout = {}, scaling, ...rest } = action;
    if (scaling) yield { ...step, action: { ...rest, rollout } };
    for (const field of Object.keys(rollout)) {
      const { [field as keyof typeof rollout]: _, ...less } = rollout;
      yield { ...step, action: { ...action, rollout: less } };
    }
    if (action.replicas > 1) yield { ...step, action: { ...action, replicas: 1 } };
  }
  if (action.type === 'operate' && action.key !== undefined && !action.twice)
    yield { ...step, action: { type: 'operate', action: action.action } };
}
