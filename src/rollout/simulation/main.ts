// npm run simulate:rollouts -- [--runs N] [--seed K] [--workers W] [--json]   plays the stories of N seeds from K on
// npm run simulate:rollouts -- --replay K                                     plays one again and prints everything that happens in it
// npm run simulate:rollouts -- --shrink K                                     leaves out of one whatever it breaks its invariant without
import { parseArgs } from 'node:util';
import { inParallel } from '../../effects/parallel.ts';
import { playSeed, playStory, type Results, together } from './campaign.ts';
import { randomScript } from './random-script.ts';
import { shrink } from './shrink.ts';
import { wilson } from './wilson.ts';

/** Seeds that a thread plays at a stretch; always the same, so that the digest does not depend on the number of threads. */
const stretch = 50;
/** What every analysis of a random story declares. */
const alpha = 0.05;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    replay: { type: 'string' },
    shrink: { type: 'string' },
    workers: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    console.error(`simulate:rollouts: --${name} is a whole number of at least ${least}, not '${text}'`);
    process.exit(2);
  }
  return value;
}

async function replay(seed: number): Promise<boolean> {
  const { kind, options } = randomScript(seed);
  console.log(`seed ${seed}: a ${kind} story, ${options.perSecond} requests a second of ${options.users} users\n`);
  const { violations } = await playSeed(seed, (line) => console.log(line));
  console.log(violations.length === 0 ? '\nevery invariant kept' : `\nBROKEN\n  ${violations.join('\n  ')}`);
  return violations.length === 0;
}

/** Prints what is left of a story, and its steps as a test takes them. */
async function simplify(seed: number): Promise<boolean> {
  const found = await shrink(randomScript(seed), (line) => console.log(line));
  if (!found) {
    console.log(`seed ${seed}: every invariant kept`);
    return true;
  }
  const { story, tries } = found;
  console.log(`\nseed ${seed}, what is left of it after ${tries} stories:\n`);
  const { violations } = await playStory(story, (line) => console.log(line));
  console.log(`\nBROKEN\n  ${violations.join('\n  ')}\n\noptions ${JSON.stringify(story.options)}`);
  for (const step of story.steps) console.log(JSON.stringify(step));
  return false;
}

async function explore(first: number, runs: number): Promise<boolean> {
  const began = performance.now();
  const tasks = Array.from({ length: Math.ceil(runs / stretch) }, (_, index) => ({
    first: first + index * stretch,
    count: Math.min(stretch, runs - index * stretch),
  }));
  const soFar: Results[] = [];
  let told = began;
  const results = together(
    await inParallel<Results>({
      module: new URL('./worker.ts', import.meta.url),
      tasks,
      threads: values.workers === undefined ? undefined : wholeNumber('workers', values.workers, 1),
      onResult: (part) => {
        soFar.push(part);
        if (!values.json) for (const { seed, violations } of part.broken) console.log(replayOf(seed, violations));
        if (values.json || performance.now() - told < 2_000) return;
        told = performance.now();
        const { stories, tally, broken } = together(soFar);
        const rate = Math.round((stories * 1_000) / (told - began));
        console.log(
          `${stories} of ${runs} stories, ${rate}/s, ${tally.rollouts} rollouts, ${tally.crashes} crashes, ${broken.length} broken`,
        );
      },
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  const alarms = wilson(results.tally.falseRollbacks, results.tally.judgedAlike);
  if (values.json) console.log(JSON.stringify({ ...results, falseAlarms: alarms, seconds }));
  else print(results, alarms, seconds);
  return results.broken.length === 0 && alarms.low <= alpha;
}

const replayOf = (seed: number, violations: readonly string[]): string =>
  `  npm run simulate:rollouts -- --shrink ${seed}   # ${violations[0]}`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function print({ stories, tally, coverage, broken, digest }: Results, alarms: ReturnType<typeof wilson>, seconds: number): void {
  console.log(`\n${stories} stories in ${seconds.toFixed(1)} s (${Math.round(stories / seconds)}/s), ${digest}`);
  for (const [name, count] of Object.entries(tally)) console.log(`  ${name.padEnd(16)} ${String(count).padStart(9)}`);
  console.log('\nstories with');
  for (const [what, count] of Object.entries(coverage).toSorted(([left], [right]) => (left < right ? -1 : 1)))
    console.log(`  ${what.padEnd(32)} ${String(count).padStart(9)}`);
  console.log(
    `\nfalse rollbacks: ${percent(alarms.share)} of those without a difference (95 %: ${percent(alarms.low)} to ${percent(alarms.high)})`,
  );
  if (alarms.low > alpha) console.log(`BROKEN: more false rollbacks than alpha = ${alpha}`);
  console.log(broken.length === 0 ? 'every invariant kept' : `${broken.length} stories broke an invariant:`);
  for (const { seed, violations } of broken.slice(0, 20)) console.log(replayOf(seed, violations));
}

async function asAsked(): Promise<boolean> {
  if (values.replay !== undefined) return replay(wholeNumber('replay', values.replay, 0));
  if (values.shrink !== undefined) return simplify(wholeNumber('shrink', values.shrink, 0));
  return explore(wholeNumber('seed', values.seed, 0), wholeNumber('runs', values.runs, 1));
}

process.exitCode = (await asAsked()) ? 0 : 1;
