// npm run bench:experiments -- [--experiments 10000] [--detections 200] [--seed 1] [--json]
import { parseArgs } from 'node:util';
import { type Random, seededRandom } from '../../src/effects/random.ts';
import { comparisonsOf, type OutcomeStratum, ratesBetween, rateOf } from '../../src/rollout/evidence/experiment.ts';
import { drawOutcomes } from '../../src/rollout/evidence/outcome-model.ts';
import { rateVerdict } from '../../src/rollout/evidence/rate-comparison.ts';

const { values } = parseArgs({
  options: {
    experiments: { type: 'string', default: '10000' },
    detections: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

/** Three arms share half of the users; control has the other half. */
const shares = { candidate: 1 / 6, warm: 1 / 6, terse: 1 / 6, stable: 1 / 2 };
const arms = ['candidate', 'warm', 'terse'] as const;
const level = 0.05 / comparisonsOf(arms.length);

/** Whether an arm is declared better than control. */
type Judge = (counts: readonly OutcomeStratum[], arm: string) => boolean;

const sequential: Judge = (counts, arm) => rateVerdict(ratesBetween(counts, arm, 'stable'), level) === 'more';

/** Two-sided z-test for the difference of two proportions, each of three comparisons at a third of 5 %: 2.394 standard errors. */
const fixed: Judge = (counts, arm) => {
  const [one, other] = [rateOf(counts, arm), rateOf(counts, 'stable')];
  const pooled = (one.events + other.events) / Math.max(1, one.units + other.units);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / Math.max(1, one.units) + 1 / Math.max(1, other.units)));
  return error > 0 && (one.events / one.units - other.events / other.units) / error > 2.394;
};

const percent = (share = 0): string => `${(100 * share).toFixed(1)} %`;

/** Users that had come when each judge first declared a winner; looked at twenty times. */
function experiment(random: Random, users: number, rate: number, lifted: number): readonly (number | undefined)[] {
  const counts: OutcomeStratum[] = [];
  const found: (number | undefined)[] = [undefined, undefined];
  const looks = 20;
  for (let look = 1; look <= looks && found.includes(undefined); look += 1) {
    // The common rate drifts, as a day's does.
    const tide = 0.9 + 0.1 * Math.cos(look);
    const rates = { candidate: rate * tide, warm: lifted * tide, terse: rate * tide, stable: rate * tide };
    counts.push(drawOutcomes(random, Math.round(users / looks), shares, rates));
    for (const [at, judge] of [sequential, fixed].entries()) {
      if (found[at] === undefined && arms.some((arm) => judge(counts, arm))) found[at] = Math.round((users * look) / looks);
    }
  }
  return found;
}

const effects = [
  { rate: 0.6, lifted: 0.6, users: 20_000, experiments: Number(values.experiments) },
  ...[
    [0.05, 0.06, 200_000],
    [0.05, 0.08, 40_000],
    [0.3, 0.33, 100_000],
    [0.3, 0.36, 40_000],
    [0.6, 0.63, 100_000],
    [0.6, 0.66, 40_000],
    [0.9, 0.92, 80_000],
    [0.9, 0.95, 20_000],
  ].map(([rate = 0, lifted = 0, users = 0]) => ({ rate, lifted, users, experiments: Number(values.detections) })),
];

const rows = effects.map(({ rate, lifted, users, experiments }, index) => {
  const found: (readonly (number | undefined)[])[] = [];
  for (let at = 0; at < experiments; at += 1) {
    found.push(experiment(seededRandom(Number(values.seed) + index * 1_000_003 + at), users, rate, lifted));
  }
  const [always, once] = [0, 1].map((judge) => {
    const times = found.map((each) => each[judge]).filter((each) => each !== undefined);
    return {
      declared: times.length / experiments,
      medianUsers: times.toSorted((left, right) => left - right)[Math.floor(times.length / 2)],
    };
  });
  return { rate, lifted, users, experiments, alwaysValid: always, zTestReadEachTime: once };
});

if (values.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
else {
  for (const { rate, lifted, users, experiments, alwaysValid, zTestReadEachTime } of rows) {
    const what = rate === lifted ? `A/A at ${percent(rate)}` : `${percent(rate)} to ${percent(lifted)}`;
    const sure = `winner in ${percent(alwaysValid?.declared)}, median after ${alwaysValid?.medianUsers ?? 'none'} of ${users} users`;
    process.stdout.write(`${what}: ${sure}; z-test read each time: ${percent(zTestReadEachTime?.declared)} (${experiments} experiments)\n`);
  }
}
