import type { Client } from '../../src/api/client.ts';
import type { ServiceView } from '../../src/api/schemas/service.ts';
import { systemClock } from '../../src/effects/clock.ts';
import { SluiceError } from '../../src/errors/sluice-error.ts';
import { until } from '../../src/testing/conditions.ts';
import { processesWorkingIn } from '../leftovers.ts';
import { usualPrompt, type Behaviour, type RolloutWorld } from '../rollout-world.ts';
import type { Keeper } from './keeper.ts';
import type { Moment } from './moment.ts';
import type { Press, Scenario } from './scenarios.ts';

export interface World {
  readonly place: RolloutWorld;
  readonly keeper: Keeper;
}

/** How a rollout has ended, and what the users saw of it. */
interface Ended {
  readonly lost: readonly string[];
  /** Who answers, as the release that was to. */
  readonly answers: string;
  readonly release: 'as before' | 'another';
  /** Processes of the service beyond those of its instances. */
  readonly leftOver: number;
  /** Releases that the gateway sends requests to. */
  readonly routed: readonly string[];
}

export interface Played extends Ended {
  readonly answered: number;
  /** Moments it was killed at in this rollout. */
  readonly killed: readonly string[];
  readonly expected: Ended;
}

/** Slow enough for the load to leave the machine to what is tested. */
export const delayMs = 25;
/** Longer than any deadline of a scenario, on a machine that does other things too: from the beginning, and from every kill. */
export const patienceMs = 180_000;
const longestMs = 1_800_000;
/** Requests at a time, of `wrk`. */
const atOnce = 4;

const deployed = async (client: Client): Promise<{ readonly id: string }> =>
  client.applyPlan((await client.createPlan({ stack: '.', environment: 'default' })).id);

/** One rollout under load, of a control plane that is killed so often at moments it has not been killed at. */
export async function play(scenario: Scenario, number: number, { place, keeper }: World, doom: Doomed): Promise<Played> {
  const { write, wrk, ask, world } = place;
  const named = (behaviour: Behaviour): Behaviour => ({ delayMs, ...behaviour, word: `${behaviour.word}-${number}` });
  const service = (): Promise<ServiceView> => until('the service', () => keeper.attempt((client) => client.getService('default', 'agent')));
  const before = await service();
  const word = await ask('anybody');
  const prompt = scenario.prompt === undefined ? usualPrompt : `${scenario.prompt} ${number}.`;
  if (scenario.candidate) await write(scenario.rollout, named(scenario.candidate), prompt);
  const load = scenario.isDown === true ? undefined : await wrk(atOnce);
  keeper.arm({ left: doom.kills, killed: doom.killed, sides: doom.sides });
  const pressed = new Set<Press>();
  const tried = new Set<Press>();
  let hasBegun = scenario.candidate === undefined;

  let older: readonly (string | undefined)[] = [];
  /** Whether the newer release is under way or in use, whatever has become of the one it was to supersede. A run that was killed may have done nothing. */
  const supersede = async ({ candidate, release }: ServiceView, newer: Behaviour): Promise<boolean> => {
    if (older.length === 0) {
      older = [before.release, candidate];
      await write(scenario.rollout, named(newer), prompt);
    }
    if (!older.includes(candidate ?? release)) return true;
    await keeper.attempt(deployed);
    return false;
  };
  /** What was killed before it wrote anything down has never been. */
  const deployAgain = async (): Promise<void> => {
    const runs = await keeper.attempt((client) => client.listRuns({ limit: 1 }));
    if (runs?.every(({ status }) => status !== 'running')) await keeper.attempt(deployed);
  };

  const look = async (): Promise<boolean> => {
    const view = await keeper.attempt((client) => client.getService('default', 'agent'));
    if (!view) return false;
    hasBegun ||= view.rollout !== undefined || view.release !== before.release || view.failure?.release !== before.failure?.release;
    if (!hasBegun) {
      await deployAgain();
      return false;
    }
    for (const each of scenario.presses ?? []) {
      if (pressed.has(each)) continue;
      if (each.when(view, before.release ?? '') || (each.deploy && tried.has(each))) {
        tried.add(each);
        const isDone = each.deploy
          ? await supersede(view, each.deploy)
          : (await keeper.attempt(async (client) => (await each.act?.(client)) ?? true)) !== undefined;
        if (isDone) pressed.add(each);
      } else if (tried.has(each)) pressed.add(each);
      else if (each.optional === true) continue;
      return false;
    }
    return isAtRest(view);
  };
  const killedHere = (): readonly string[] => keeper.doom().killed.slice(doom.killed.length);
  try {
    let calm = { deaths: keeper.deaths(), since: systemClock.monotonic() };
    await until(
      `the end of ${scenario.strategy}, ${scenario.name}`,
      () => {
        if (keeper.deaths() !== calm.deaths) calm = { deaths: keeper.deaths(), since: systemClock.monotonic() };
        if (systemClock.monotonic() - calm.since > patienceMs) throw new Error(`it did not end within ${patienceMs} ms without a kill`);
        return look();
      },
      longestMs,
    );
  } catch (error) {
    const view = await keeper.attempt((client) => client.getService('default', 'agent'));
    const why = `${error instanceof SluiceError ? error.code : (error as Error).message}; killed: ${killedHere().join('\n  ')}\n${JSON.stringify(view)}\n${keeper.output()}`;
    throw new Error(why, { cause: error });
  } finally {
    keeper.disarm();
  }
  const { answered, lost } = (await load?.stop()) ?? { answered: 0, lost: [] };
  const end = await until('nobody else', async () => {
    const seen = await service();
    return isAtRest(seen) && leftOver(seen, world.directory).length === 0 && seen;
  }).catch(service);
  const others = { stable: word, newer: `newer-${number}`, candidate: `${scenario.candidate?.word}-${number}` };
  return {
    answered,
    killed: killedHere(),
    lost: scenario.breaksOff === true ? lost.filter((what) => !wasBegun.test(what)) : lost,
    answers: await ask('anybody'),
    release: end.release === before.release ? 'as before' : 'another',
    leftOver: leftOver(end, world.directory).length,
    routed: end.weights.map(({ release, percent }) => `${release} ${percent}`),
    expected: {
      lost: [],
      answers: others[scenario.ends],
      release: scenario.ends === 'stable' ? 'as before' : 'another',
      leftOver: 0,
      routed: [`${end.release} 100`],
    },
  };
}

/** What an instance that died had begun to answer, by a connection each. */
const wasBegun = new RegExp(`^[1-${atOnce}] answers of nobody, the first: 502 .*gateway_upstream_failed`);

export interface Doomed {
  /** How often it is to be killed. */
  readonly kills: number;
  /** Moments it has been killed at before. */
  readonly killed: readonly string[];
  readonly sides: readonly Moment['side'][];
}

function leftOver({ instances }: ServiceView, folder: string): readonly number[] {
  const own = new Set(instances.map(({ pid }) => pid));
  return processesWorkingIn(folder, 'node agent.js').filter((pid) => !own.has(pid));
}

/** Nothing under way, nothing kept, nothing leaving: all instances of one release. */
export function isAtRest({ rollout, previous, instances, replicas, release }: ServiceView): boolean {
  return (
    rollout === undefined &&
    previous === undefined &&
    instances.length === replicas.desired &&
    instances.every(({ state, release: own }) => state === 'ready' && own === release)
  );
}
