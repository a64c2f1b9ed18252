import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive, identify } from '../src/effects/processes.ts';
import { answering, type Answering } from '../src/testing/answering.ts';
import { until } from '../src/testing/conditions.ts';
import { keepControlPlane, type Keeper } from './kills/keeper.ts';
import type { Moment } from './kills/moment.ts';
import { delayMs, play, type Played } from './kills/play.ts';
import { playRemoval } from './kills/play-removal.ts';
import { scenariosWith, type Scenario } from './kills/scenarios.ts';
import { coverage } from './kills/situations.ts';
import { createRolloutWorld, type RolloutWorld } from './rollout-world.ts';
import { controlPlane } from './sluice.ts';

/**
 * `SLUICE_KILL_SCENARIOS='^canary, ' npm run prove:kills` plays those whose strategy and name match; `SLUICE_KILL_SIDES=entered` kills once in every
 * state, as it is entered, and not again as it is left.
 */
const chosen = new RegExp(process.env['SLUICE_KILL_SCENARIOS'] ?? '');
const sides: readonly Moment['side'][] = process.env['SLUICE_KILL_SIDES'] === 'entered' ? ['entered'] : ['entered', 'left'];
/** Kills in one rollout, more than any has moments; a rollout is played again until nothing is left to be killed. */
const killsInOne = 100;
const rolloutsAtMost = 20;
const runs = process.env['SLUICE_PROVE'] === 'kills' && process.platform === 'linux';

// By `npm run prove:kills`: every write of a service's state is a moment to die at, just before it and just after it.
describe.runIf(runs)('kill -9 of the control plane in every state of every strategy', () => {
  let place: RolloutWorld;
  let keeper: Keeper;
  let played = 0;
  const answers: Answering[] = [];
  const seen = new Map<string, ReadonlySet<string>>();
  const table: string[] = [];

  beforeAll(async () => {
    place = await createRolloutWorld();
    await place.begin({ word: 'first', delayMs });
    // The first one, which nobody kills, makes way.
    const first = identify((await controlPlane(place.world)).pid);
    keeper = keepControlPlane(place.world);
    if (first) process.kill(first.pid, 'SIGKILL');
    await until('the end of the first one', () => first === undefined || !isAlive(first));
    keeper.begin();
  }, 60_000);
  afterAll(async () => {
    console.log(['', ...table, '', ...coverage(seen), ''].join('\n'));
    await keeper.end();
    for (const answer of answers) await answer.close();
    await place.dispose();
  });

  /** Says yes to hooks. A source of evidence is away when it is asked about a release for the first time. */
  async function answer(): Promise<string> {
    const asked = new Set<string>();
    const server = await answering((request, response) => {
      const path = request.url ?? '';
      const isAway = path.startsWith('/source') && !asked.has(path);
      asked.add(path);
      response.writeHead(isAway ? 503 : 200).end(JSON.stringify({ score: 0.9 }));
    });
    answers.push(server);
    return server.url;
  }

  const names = scenariosWith('').map(nameOf);
  it.each(names.filter((name) => chosen.test(name)))('%s', { timeout: 3_600_000 }, async (name) => {
    const scenario = scenariosWith(await answer()).find((each) => nameOf(each) === name) as Scenario;
    const states = new Set<string>();
    const all: Played[] = [];
    const killed = (): readonly string[] => all.flatMap((one) => one.killed);
    const once = async (): Promise<void> => {
      played += 1;
      const doomed = { kills: killsInOne, killed: killed(), sides };
      const world = { place, keeper };
      const one = await (scenario.removes === true ? playRemoval(played, world, doomed) : play(scenario, played, world, doomed));
      const { answered: _, expected, ...ended } = one;
      expect(ended).toEqual({ ...expected, killed: one.killed });
      all.push(one);
      for (const state of keeper.doom().seen) states.add(state);
    };
    // The last one is not disturbed: it meets nothing it has not been killed in.
    do await once();
    while ((all.at(-1)?.killed.length ?? 0) > 0 && all.length < rolloutsAtMost);
    seen.set(scenario.strategy, new Set([...(seen.get(scenario.strategy) ?? []), ...states]));
    const users = all.reduce((sum, { answered }) => sum + answered, 0);
    const missed = [...states].filter((state) => !killed().some((moment) => moment.endsWith(` ${state}`)));
    table.push(
      `${name}: ${states.size} states met, killed in ${states.size - missed.length}, ${killed().length} kills in ${all.length} rollouts, 0 of ${users} requests lost`,
    );
    console.log(table.at(-1));
    expect([missed, all.at(-1)?.killed]).toEqual([[], []]);
  });
});

function nameOf({ strategy, name }: Scenario): string {
  return `${strategy}, ${name}`;
}
