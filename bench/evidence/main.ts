// npm run bench:evidence -- [--rollouts 10000] [--detections 300] [--returning 1000] [--seed 1] [--json]
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/effects/random.ts';
import { type Behaviour, drawCounts } from '../../src/rollout/evidence/traffic-model.ts';
import { type Judge, judges, sound } from './judges.ts';
import { returningRows } from './returning.ts';

const { values } = parseArgs({
  options: {
    rollouts: { type: 'string', default: '10000' },
    detections: { type: 'string', default: '300' },
    returning: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

/** One interval is 15 s; a rollout of 5, 25 and 50 % for four minutes each. */
const intervals = 48;
const requestsPerInterval = 300;
const split = [0.05, 0.25, 0.5];

interface Course {
  readonly takenBackAt: number | undefined;
  /** Requests that the candidate had answered by then. */
  readonly exposed: number;
}

/** Every judge sees the same rollout. The common error rate and the traffic drift, as a day's do. */
function rollOut(seed: number, candidate: Behaviour): ReadonlyMap<Judge, Course> {
  const random = seededRandom(seed);
  const looks = judges.map((judge) => ({ judge, look: judge.create() }));
  const courses = new Map<Judge, Course>();
  const phase = random.next() * 2 * Math.PI;
  let exposed = 0;
  for (let interval = 0; interval < intervals && courses.size < judges.length; interval += 1) {
    const tide = 1 + 0.8 * Math.sin(phase + interval / 8);
    const chance = split[Math.floor((interval / intervals) * split.length)] ?? 0.5;
    const drifted = (behaviour: Behaviour): Behaviour => ({ ...behaviour, errorRate: behaviour.errorRate * tide });
    const counts = drawCounts(random, Math.round(requestsPerInterval * tide), chance, drifted(sound), drifted(candidate));
    exposed += counts.units[0]?.candidate ?? 0;
    for (const { judge, look } of looks) {
      if (!courses.has(judge) && look(counts)) courses.set(judge, { takenBackAt: interval + 1, exposed });
    }
  }
  for (const judge of judges) if (!courses.has(judge)) courses.set(judge, { takenBackAt: undefined, exposed });
  return courses;
}

const effects: readonly { readonly name: string; readonly candidate: Behaviour; readonly rollouts: number }[] = [
  { name: 'no difference (A/A): false rollbacks', candidate: sound, rollouts: Number(values.rollouts) },
  ...[
    { name: 'errors 0.5 % -> 1 %', candidate: { ...sound, errorRate: 0.01 } },
    { name: 'errors 0.5 % -> 2 %', candidate: { ...sound, errorRate: 0.02 } },
    { name: 'errors 0.5 % -> 5 %', candidate: { ...sound, errorRate: 0.05 } },
    { name: '5 % of requests have a slow tail', candidate: { ...sound, slowRates: [0.5, 0.1, 0.06] } },
    { name: 'median 10 % more often exceeded', candidate: { ...sound, slowRates: [0.55, 0.06, 0.012] } },
    { name: 'answers 70 % -> 60 %', candidate: { ...sound, decisions: { answer: 0.6, refuse: 0.3, escalate: 0.1 } } },
  ].map(({ name, candidate }) => ({ name, candidate, rollouts: Number(values.detections) })),
];

interface Row {
  readonly effect: string;
  readonly judge: string;
  readonly rollouts: number;
  /** Share of rollouts taken back. */
  readonly takenBack: number;
  /** Of those taken back, in seconds; and requests answered by the candidate until then. */
  readonly medianSeconds?: number;
  readonly medianExposed?: number;
}

const rows: Row[] = [];
for (const [index, { name, candidate, rollouts }] of effects.entries()) {
  const found = new Map<Judge, Course[]>(judges.map((judge) => [judge, []]));
  for (let rollout = 0; rollout < rollouts; rollout += 1) {
    if (rollout % 500 === 0) process.stderr.write(`\r${name}: ${rollout} of ${rollouts}   `);
    for (const [judge, course] of rollOut(Number(values.seed) + index * 1_000_003 + rollout, candidate)) found.get(judge)?.push(course);
  }
  for (const [judge, courses] of found) {
    const taken = courses.filter(({ takenBackAt }) => takenBackAt !== undefined);
    rows.push({
      effect: name,
      judge: judge.name,
      rollouts,
      takenBack: taken.length / courses.length,
      ...(taken.length > 0 && {
        medianSeconds: 15 * median(taken.map(({ takenBackAt = 0 }) => takenBackAt)),
        medianExposed: median(taken.map(({ exposed }) => exposed)),
      }),
    });
  }
}
const returning = returningRows(Number(values.returning), Number(values.seed), (words) => process.stderr.write(`\r${words}   `));
process.stderr.write('\n');
console.log(values.json ? JSON.stringify({ seed: Number(values.seed), rows, returning }, null, 2) : `${table()}\n\n${returningTable()}`);

function returningTable(): string {
  const lines = [`${'with affinity, 1,000 users who return'.padEnd(48)}rollouts  taken back      held  median look (of 120)`];
  for (const { effect, rollouts, takenBack, held, medianLook } of returning) {
    const shares = [takenBack, held].map((share) => `${(100 * share).toFixed(1)} %`.padStart(12)).join('');
    lines.push(`${effect.padEnd(48)}${String(rollouts).padStart(8)}${shares}${String(medianLook ?? '-').padStart(22)}`);
  }
  return lines.join('\n');
}

function table(): string {
  const lines = [`${'effect'.padEnd(40)}${'judge'.padEnd(48)}taken back  median s  median requests exposed`];
  for (const { effect, judge, takenBack, medianSeconds, medianExposed } of rows) {
    const share = `${(100 * takenBack).toFixed(1)} %`.padStart(10);
    lines.push(
      `${effect.padEnd(40)}${judge.padEnd(48)}${share}${String(medianSeconds ?? '-').padStart(10)}${String(medianExposed ?? '-').padStart(24)}`,
    );
  }
  return lines.join('\n');
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
