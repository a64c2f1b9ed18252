import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceView } from '../src/api/schemas/service.ts';
import { until } from '../src/testing/conditions.ts';
import { createRolloutWorld, type Behaviour, type RolloutWorld } from './rollout-world.ts';
import { controlPlane, start } from './sluice.ts';

/** What is done to a rollout once, when it is first seen in a state. */
interface Press {
  readonly when: (view: ServiceView) => boolean;
  readonly line: readonly string[];
}

interface Scenario {
  readonly name: string;
  readonly rollout: string;
  readonly candidate: Behaviour;
  readonly press?: Press;
  /** Whose release is in use in the end. */
  readonly ends: 'candidate' | 'stable';
}

const canary = `{ strategy: canary, affinity: { cookie: session }, progress_deadline: 6s, analysis: { error_rate: {}, min_requests: 20 },
    steps: [{ weight: 20, for: 500ms }, { weight: 50, approval: true }] }`;
const copying = canary.replace('steps: [', 'steps: [{ mirror: 100, for: 500ms }, ');
const beside = canary.replace('steps:', 'baseline: true, steps:');
const blueGreen = '{ strategy: blue_green, progress_deadline: 6s, smoke: { path: /healthz }, keep_previous: 1s }';
const rolling = '{ strategy: rolling, progress_deadline: 6s }';
const isHeld = ({ rollout }: ServiceView): boolean => rollout?.waits.for === 'approval';

const scenarios: readonly Scenario[] = [
  { name: 'rolling forward', rollout: rolling, candidate: { word: 'sound' }, ends: 'candidate' },
  { name: 'rolling one that crashes', rollout: rolling, candidate: { word: 'crash', broken: 'exits' }, ends: 'stable' },
  {
    name: 'rolling, aborted',
    rollout: rolling,
    candidate: { word: 'aborted', broken: 'hangs' },
    press: { when: ({ rollout }) => rollout !== undefined, line: ['abort', 'agent'] },
    ends: 'stable',
  },
  {
    name: 'canary forward',
    rollout: canary,
    candidate: { word: 'sound' },
    press: { when: isHeld, line: ['promote', 'agent'] },
    ends: 'candidate',
  },
  { name: 'canary with errors', rollout: canary, candidate: { word: 'faulty', errorRate: 0.4 }, ends: 'stable' },
  { name: 'canary that never becomes ready', rollout: canary, candidate: { word: 'silent', broken: 'hangs' }, ends: 'stable' },
  {
    name: 'canary, aborted',
    rollout: canary,
    candidate: { word: 'aborted' },
    press: { when: isHeld, line: ['abort', 'agent'] },
    ends: 'stable',
  },
  {
    name: 'canary after copies',
    rollout: copying,
    candidate: { word: 'sound' },
    press: { when: isHeld, line: ['promote', 'agent'] },
    ends: 'candidate',
  },
  { name: 'canary whose copies fail', rollout: copying, candidate: { word: 'faulty', errorRate: 0.4 }, ends: 'stable' },
  {
    name: 'canary beside a baseline',
    rollout: beside,
    candidate: { word: 'sound' },
    press: { when: isHeld, line: ['promote', 'agent'] },
    ends: 'candidate',
  },
  {
    name: 'canary beside a baseline, aborted',
    rollout: beside,
    candidate: { word: 'aborted' },
    press: { when: isHeld, line: ['abort', 'agent'] },
    ends: 'stable',
  },
  { name: 'blue/green forward', rollout: blueGreen, candidate: { word: 'sound' }, ends: 'candidate' },
  { name: 'blue/green that crashes', rollout: blueGreen, candidate: { word: 'crash', broken: 'exits' }, ends: 'stable' },
  {
    name: 'blue/green, returned',
    rollout: blueGreen.replace('keep_previous: 1s', 'keep_previous: 5m'),
    candidate: { word: 'returned' },
    press: { when: ({ previous }) => previous !== undefined, line: ['rollback', 'agent'] },
    ends: 'stable',
  },
];

/** A state of a rollout as far as it can be told apart from outside: what it waits for, its shares, its instances. */
function stateOf({ rollout, previous, failure, weights, instances }: ServiceView): string {
  const phases = instances.map(({ state }) => state).toSorted((one, other) => one.localeCompare(other));
  const shares = weights.map(({ percent }) => Math.round(percent)).join('/');
  const going = rollout ? `stage ${rollout.stages?.current ?? '-'}, waits for ${rollout.waits.for}` : 'none under way';
  return [going, `shares ${shares}`, phases.join(' '), previous ? 'one kept' : '', failure ? 'one given up' : '']
    .filter(Boolean)
    .join('; ');
}

// By `npm run prove:kills`: every state a reference run shows is met again in a run of its own, and the control plane killed in it.
describe.runIf(process.env['SLUICE_PROVE'] === 'kills')('kill -9 of the control plane in every state of every strategy', () => {
  let place: RolloutWorld;
  let runs = 0;
  beforeAll(async () => {
    place = await createRolloutWorld();
    await place.begin({ word: 'stable' });
  }, 60_000);
  afterAll(() => place.dispose());

  it.each(scenarios)('$name', { timeout: 1_800_000 }, async (scenario) => {
    const reference = await play(scenario, undefined);
    const found = [...reference.states];
    let met = 0;
    for (const state of found) {
      const run = await play(scenario, state);
      if (run.wasKilled) met += 1;
      for (const other of run.states) if (!found.includes(other) && !run.wasKilled) found.push(other);
    }
    console.log(`${scenario.name}: killed in ${met} of ${found.length} states, ${reference.answered} requests a run, none lost`);
    expect(met).toBeGreaterThanOrEqual(found.length / 2);
  });

  /** One rollout under load from a stable release of its own; killed at the first sight of `killIn`. Checks that it ends as it should. */
  async function play({ rollout, candidate, press, ends }: Scenario, killIn: string | undefined) {
    runs += 1;
    const { world, write, run, load, view, ask } = place;
    const stable = `stable-${runs}`;
    await write(rolling, { word: stable });
    await run(0, 'deploy', 'agent');
    await until('the stable release alone', async () => isAtRest(await view()));
    const before = (await view()).release;
    const word = `${candidate.word}-${runs}`;
    await write(rollout, { ...candidate, word });
    const traffic = load(word, 4);
    start(world, 'deploy', 'agent');
    const states = new Set<string>();
    let wasKilled = false;
    let isPressed = press === undefined;
    let hasBegun = false;
    const look = async (): Promise<boolean> => {
      const seen = await view();
      hasBegun ||= seen.rollout !== undefined || seen.release !== before || seen.failure !== undefined;
      if (!hasBegun) return false;
      const state = stateOf(seen);
      states.add(state);
      if (state === killIn && !wasKilled) {
        wasKilled = true;
        process.kill((await controlPlane(world)).pid, 'SIGKILL');
        await run(0, 'status');
        return false;
      }
      if (!isPressed && press?.when(seen) === true) {
        isPressed = true;
        await run(0, 'rollout', ...press.line);
        return false;
      }
      return isPressed && isAtRest(seen);
    };
    await until(`the end of the rollout after a kill in "${killIn ?? 'no state'}"`, () => look().catch(unreachable), 60_000);
    const { lost, answered } = await traffic.stop();
    expect(lost, `killed in "${killIn}"`).toEqual([]);
    const end = await view();
    expect(end.release === before ? 'stable' : 'candidate', `killed in "${killIn}"`).toBe(ends);
    expect(await ask('anybody')).toBe(ends === 'stable' ? stable : word);
    return { states, wasKilled, answered };
  }
});

/** Nothing under way, nothing kept, nothing leaving: two instances of one release. */
function isAtRest({ rollout, previous, instances, replicas }: ServiceView): boolean {
  return (
    rollout === undefined &&
    previous === undefined &&
    instances.length === replicas.desired &&
    instances.every(({ state }) => state === 'ready') &&
    new Set(instances.map(({ release }) => release)).size === 1
  );
}

/** Between a kill and the next control plane nobody answers. */
function unreachable(error: unknown): false {
  if (error instanceof TypeError || (error as NodeJS.ErrnoException).code !== undefined) return false;
  throw error;
}
