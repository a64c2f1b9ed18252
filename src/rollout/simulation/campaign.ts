import { jsonEquals, type Json } from '../../digest/json.ts';
import { digestJson } from '../../digest/digest.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { addCoverage, type Coverage } from './coverage.ts';
import { type RandomScript, randomScript } from './random-script.ts';
import { play, type Outcome, type Step } from './script.ts';
import { addTally, newTally, type Tally } from './tally.ts';

/** What came of many random stories. Plain data: it travels between threads. */
export interface Results {
  readonly stories: number;
  readonly tally: Tally;
  /** How many stories had what in them. */
  readonly coverage: Coverage;
  readonly broken: readonly BrokenStory[];
  /** Over the ends of all stories in order: equal when all of them went the same way. */
  readonly digest: string;
}

interface BrokenStory {
  readonly seed: number;
  readonly violations: readonly string[];
}

/** Plays the story of a seed. */
export function playSeed(seed: number, trace?: (line: string) => void): Promise<Outcome> {
  return playStory(randomScript(seed), trace);
}

/** Plays a story; a calm one a second time without crashes, to see whether they made a difference. */
export async function playStory({ kind, steps, options, isUnbroken }: RandomScript, trace?: (line: string) => void): Promise<Outcome> {
  const outcome = await play(steps, createMemoryStore(), { ...options, ...(trace && { trace }) });
  const violations = [...outcome.violations];
  if (isUnbroken && outcome.refused > 0) violations.push(`1: ${outcome.refused} requests found no instance`);
  if (kind !== 'calm') return { ...outcome, violations };
  const calm = await play(steps.map(withoutCrash), createMemoryStore(), options);
  if (!jsonEquals((outcome.end ?? null) as Json, (calm.end ?? null) as Json))
    violations.push(`3: with crashes it ended as ${JSON.stringify(outcome.end)}, without as ${JSON.stringify(calm.end)}`);
  addTally(outcome.tally, calm.tally);
  return { ...outcome, violations: [...new Set([...violations, ...calm.violations])] };
}

/** Plays the stories of `count` seeds from `first` on. */
export async function playSeeds(first: number, count: number): Promise<Results> {
  const tally = newTally();
  const broken: BrokenStory[] = [];
  const ends: string[] = [];
  const seen: Coverage[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await playSeed(seed);
    addTally(tally, outcome.tally);
    seen.push(Object.fromEntries(outcome.seen.map((what) => [what, 1])));
    ends.push(JSON.stringify([outcome.end ?? null, outcome.tally]));
    if (outcome.violations.length > 0) broken.push({ seed, violations: outcome.violations });
  }
  return { stories: count, tally, coverage: addCoverage(seen), broken, digest: digestJson(ends) };
}

/** Results of consecutive parts, in order, as one. */
export function together(parts: readonly Results[]): Results {
  const tally = newTally();
  for (const part of parts) addTally(tally, part.tally);
  return {
    stories: parts.reduce((sum, { stories }) => sum + stories, 0),
    tally,
    coverage: addCoverage(parts.map(({ coverage }) => coverage)),
    broken: parts.flatMap(({ broken }) => broken),
    digest: digestJson(parts.map(({ digest }) => digest)),
  };
}

function withoutCrash({ action, pause }: Step): Step {
  return { action, pause };
}
