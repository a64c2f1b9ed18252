// npm run prove:evidence -- [--rollouts 1000] [--seed 7]
// Releases that do not differ, in settings made to mislead a test that is looked at all the time. It shares nothing with the modelled world but
// the judge itself: numbers are drawn here, one request after the other, and counted here.
import { parseArgs } from 'node:util';
import { type Counts, judge, type Rules } from '../../src/rollout/evidence/judge.ts';

const { values } = parseArgs({ options: { rollouts: { type: 'string', default: '1000' }, seed: { type: 'string', default: '7' } } });
const rollouts = Number(values.rollouts);
const alpha = 0.05;

/** Mulberry32, by Tommy Ettinger: another generator than the product's. */
let state = Number(values.seed) | 0;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** Events by the chance of the candidate. */
type Tally = Map<number, { candidate: number; stable: number }>;

function add(tally: Tally, chance: number, isCandidate: boolean): void {
  const known = tally.get(chance) ?? { candidate: 0, stable: 0 };
  known[isCandidate ? 'candidate' : 'stable'] += 1;
  tally.set(chance, known);
}

const strataOf = (tally: Tally) => Array.from(tally, ([chance, counted]) => ({ chance, ...counted })).sort((a, b) => a.chance - b.chance);
const strataBy = (tallies: ReadonlyMap<string, Tally>) =>
  Object.fromEntries(Array.from(tallies, ([name, tally]) => [name, strataOf(tally)]));

interface Look {
  readonly isTakenBack: boolean;
  readonly isHeld: boolean;
  /** An interval that is shown says that the releases differ. */
  readonly isMisleading: boolean;
  /** The first metric's e-value against the candidate. */
  readonly harm: number;
}

function lookAt(counts: Partial<Counts>, rules: Partial<Rules>): Look {
  const { verdict, findings } = judge({ units: [], errors: [], slow: [], decisions: {}, ...counts }, { alpha, minUnits: 1, ...rules });
  const isMisleading = findings.some(({ interval }) => interval.low > 1 || interval.high < 1);
  return { isTakenBack: verdict === 'fail', isHeld: verdict === 'error', isMisleading, harm: findings[0]?.harm ?? 1 };
}

/** One rollout, told of every look; it ends when `look` says so. */
type Setting = (look: (counts: Partial<Counts>, rules: Partial<Rules>) => Look) => void;

const settings: Readonly<Record<string, Setting>> = {
  'values of an attribute that come up one after the other': (look) => {
    const [units, decisions] = [new Map() as Tally, new Map<string, Tally>()];
    for (let request = 0; request < 3_000; request += 1) {
      const isCandidate = random() < 0.2;
      const value = `v${Math.floor(request / 125)}`;
      add(units, 0.2, isCandidate);
      decisions.set(value, decisions.get(value) ?? new Map());
      add(decisions.get(value) as Tally, 0.2, isCandidate);
      if (request % 5 === 0) look({ units: strataOf(units), decisions: strataBy(decisions) }, { decisions: { attribute: 'value' } });
    }
  },
  'errors in bursts, and a share that somebody moves by what the evidence says': (look) => {
    const shares = [0.01, 0.05, 0.25, 0.5, 0.9];
    const [units, errors]: [Tally, Tally] = [new Map(), new Map()];
    let [share, rate] = [0.05, 0.01];
    for (let request = 0; request < 4_000; request += 1) {
      if (request % 50 === 0) rate = random() < 0.3 ? 0.6 : 0.01;
      const isCandidate = random() < share;
      add(units, share, isCandidate);
      if (random() >= rate) continue;
      add(errors, share, isCandidate);
      const { harm } = look({ units: strataOf(units), errors: strataOf(errors) }, { errors: { tolerate: 1 } });
      share = harm > 1 ? 0.01 : (shares[Math.floor(random() * shares.length)] ?? 0.5);
    }
  },
  'a drift of everything, small counts, three quantiles that depend on each other': (look) => {
    const [units, errors, p50, p95, p99]: Tally[] = [new Map(), new Map(), new Map(), new Map(), new Map()];
    const slow = [p50, p95, p99] as [Tally, Tally, Tally];
    const decisions = new Map<string, Tally>([
      ['answer', new Map()],
      ['escalate', new Map()],
    ]);
    for (let request = 0; request < 3_000; request += 1) {
      const chance = request < 1_000 ? 1 / 30 : request < 2_000 ? 0.1 : 0.5;
      const isCandidate = random() < chance;
      add(units as Tally, chance, isCandidate);
      if (random() < 0.001 + 0.4 * Math.sin(request / 300) ** 4) add(errors as Tally, chance, isCandidate);
      const slowness = random() * (1 + 0.5 * Math.sin(request / 200));
      for (const [index, part] of [0.5, 0.05, 0.01].entries()) if (slowness < part) add(slow[index] as Tally, chance, isCandidate);
      add(decisions.get(random() < 0.5 + 0.4 * Math.sin(request / 150) ? 'answer' : 'escalate') as Tally, chance, isCandidate);
      if (request % 10 > 0) continue;
      const counts = { units: strataOf(units as Tally), errors: strataOf(errors as Tally), slow: slow.map(strataOf) };
      const rules = { errors: { tolerate: 1 }, latency: { quantiles: [0.5, 0.95, 0.99] }, decisions: { attribute: 'decision' } };
      look({ ...counts, decisions: strataBy(decisions) }, rules);
    }
  },
  'ten values, seen all the time': (look) => {
    const [units, decisions] = [new Map() as Tally, new Map<string, Tally>()];
    for (let request = 0; request < 3_000; request += 1) {
      const isCandidate = random() < 0.1;
      const value = `v${Math.floor(10 * random() ** 2)}`;
      add(units, 0.1, isCandidate);
      decisions.set(value, decisions.get(value) ?? new Map());
      add(decisions.get(value) as Tally, 0.1, isCandidate);
      if (request % 5 === 0) look({ units: strataOf(units), decisions: strataBy(decisions) }, { decisions: { attribute: 'value' } });
    }
  },
};

for (const [name, setting] of Object.entries(settings)) {
  const found = { takenBack: 0, held: 0, misled: 0 };
  for (let rollout = 0; rollout < rollouts; rollout += 1) {
    const ever = { takenBack: 0, held: 0, misled: 0 };
    setting((counts, rules) => {
      const look = lookAt(counts, rules);
      if (look.isTakenBack) ever.takenBack = 1;
      if (look.isHeld) ever.held = 1;
      if (look.isMisleading) ever.misled = 1;
      return look;
    });
    found.takenBack += ever.takenBack;
    found.held += ever.held;
    found.misled += ever.misled;
  }
  console.log(`${name}\n  taken back ${share(found.takenBack)}, held ${share(found.held)}, ever shown to differ ${share(found.misled)}`);
  // More than chance explains at this many rollouts: the promise is broken.
  if (lower(found.takenBack) > alpha || lower(found.misled) > alpha || lower(found.held) > 0.001) process.exitCode = 1;
}

/** With its 95 % interval (Wilson 1927). */
function share(count: number): string {
  const [low, high] = wilson(count);
  return `${percent(count / rollouts)} (${percent(low)} to ${percent(high)})`;
}

function lower(count: number): number {
  return wilson(count)[0];
}

function wilson(count: number): readonly [number, number] {
  const [z, p] = [1.96, count / rollouts];
  const [centre, scale] = [p + z ** 2 / (2 * rollouts), 1 + z ** 2 / rollouts];
  const half = z * Math.sqrt((p * (1 - p)) / rollouts + z ** 2 / (4 * rollouts ** 2));
  return [Math.max(0, (centre - half) / scale), (centre + half) / scale];
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
