import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inParallel } from '../effects/parallel.ts';
import { type Share, wilson } from '../rollout/simulation/wilson.ts';
import { modelRollout } from './modelled-rollout.ts';
import type { Course, Moment, Question } from './question.ts';
import { playStretch, type Stretch } from './stretch.ts';
import { isDetected, representative, type Summary, summaryOf } from './summary.ts';

export interface Simulated {
  /** With the fault. */
  readonly faulty: Summary;
  /** Of rollouts without any fault: how often they are taken back or held all the same, with its 95 % interval. */
  readonly falseAlarms: Share & { readonly runs: number; readonly alarms: number };
  /** What a rollout without any fault costs, and how long it takes. */
  readonly sound: Summary;
  /** Milliseconds that a rollout without any fault takes, where it comes to its end; null for most that do not. */
  readonly soundAfterMs: number | null;
  /** The rollout with the fault that ended as fast as most. */
  readonly example: { readonly course: Course; readonly timeline: readonly Moment[] };
}

/** Rollouts that a thread plays at a stretch; of fewer stretches than `worthThreads` no thread is started. */
const stretch = 5;
const worthThreads = 5;
/** Further apart than the streams that one rollout draws from. */
const seedStep = 16;
/** `worker.ts` from sources, `worker.js` when compiled: whatever this file is. */
const module = new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/**
 * Plays `runs` rollouts with the fault of the question and as many without any, on all processors. The same seed gives the same result,
 * however many threads there are.
 */
export async function simulate(
  question: Question,
  options: { readonly seed: number; readonly runs: number; readonly onProgress?: ((done: number, of: number) => void) | undefined },
): Promise<Simulated> {
  const { seed, runs, onProgress } = options;
  const first = seed * 1_000_003;
  const seedsFrom = (from: number): number[] => Array.from({ length: runs }, (_, index) => from + index * seedStep);
  const seeds = { faulty: seedsFrom(first), sound: seedsFrom(first + runs * seedStep) };
  const tasks = [...stretches(question, seeds.faulty), ...stretches({ ...question, fault: {} }, seeds.sound)];
  let done = 0;
  const onResult = (courses: readonly Course[]): void => {
    done += courses.length;
    onProgress?.(done, 2 * runs);
  };
  const results = tasks.length < worthThreads ? await playHere(tasks, onResult) : await inParallel({ module, tasks, onResult });
  const courses = results.flat();
  const [faulty, sound] = [courses.slice(0, runs), courses.slice(runs)];
  const timeline: Moment[] = [];
  const course = await modelRollout(question, seeds.faulty[representative(faulty)] ?? first, (moment) => timeline.push(moment));
  const alarms = sound.filter(isDetected).length;
  return {
    faulty: summaryOf(faulty),
    falseAlarms: { runs: sound.length, alarms, ...wilson(alarms, sound.length) },
    sound: summaryOf(sound),
    soundAfterMs: medianEnd(sound),
    example: { course, timeline },
  };
}

async function playHere(
  tasks: readonly Stretch[],
  onResult: (courses: readonly Course[]) => void,
): Promise<readonly (readonly Course[])[]> {
  const results = [];
  for (const task of tasks) {
    const courses = await playStretch(task);
    onResult(courses);
    results.push(courses);
  }
  return results;
}

function stretches(question: Question, seeds: readonly number[]): Stretch[] {
  return Array.from({ length: Math.ceil(seeds.length / stretch) }, (_, index) => ({
    question,
    seeds: seeds.slice(index * stretch, (index + 1) * stretch),
  }));
}

function medianEnd(courses: readonly Course[]): number | null {
  const ends = courses.map(({ outcome, endedAfterMs }) => (outcome === 'completed' ? (endedAfterMs ?? 0) : Number.POSITIVE_INFINITY));
  const median = ends.toSorted((left, right) => left - right)[Math.floor((ends.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(median) ? median : null;
}
