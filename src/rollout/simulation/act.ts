import { SluiceError } from '../../errors/sluice-error.ts';
import type { DesiredService } from '../desired-state.ts';
import { revisionOf, type ServiceState, targetGeneration } from '../service-state.ts';
import type { Action, Deployment } from './action.ts';
import type { Ask } from './asks.ts';
import { chosenFor } from './auto-choice.ts';
import { address, desiredRelease } from './desired-release.ts';
import type { Invariants } from './invariants.ts';
import type { ModelledFlags } from './modelled-flags.ts';
import type { World } from './world.ts';

/** Where people act. */
export interface Scene {
  readonly world: World;
  readonly invariants: Invariants;
  /** What every apply wants, by its operation. */
  readonly declared: Map<string, DesiredService>;
  /** What was done under a key: for which life of the service, and what. */
  readonly pressed: Map<string, { readonly uid: string | undefined; readonly action: string }>;
  /** What was sent under a key, heard of or not, by the life of the service, the key and what: however often it is sent, it is one thing. */
  readonly sent: Map<string, Ask>;
  readonly flags: ModelledFlags | undefined;
}

/** Resolves with whether it was not refused; rejects when it is not known whether it was done. */
export async function act(scene: Scene, action: Action, operation: string): Promise<boolean> {
  const { world, invariants, flags } = scene;
  const { controller, workloads, traffic } = world;
  switch (action.type) {
    case 'deploy':
      return deploy(scene, action, operation);
    case 'deploy_both': {
      const applies = action.deployments.map((deployment, index) => deploy(scene, deployment, `${operation}-${index}`));
      return allTaken(applies);
    }
    case 'scale':
      return taken(scene, () => controller.scale(address, action.replicas));
    case 'autoscale': {
      const from = (await world.state())?.replicas ?? 0;
      return taken(scene, () => controller.autoscale(address, { from, to: action.replicas, why: 'load' }));
    }
    case 'operate':
      return operate(scene, action);
    case 'promote_seen':
      return promoteSeen(scene, action);
    case 'rollback_kept':
      return rollBack(scene, action.index);
    case 'count_flag': {
      const { id } = action;
      const counts = id === undefined ? undefined : { id, attribute: 'flag', variant: 'on', probability: 0.2, thresholds: [] };
      return taken(scene, () => controller.countFlag(address, counts));
    }
    case 'roll_flag':
    case 'stop_flag':
    case 'touch_flag':
      return invariants.byPeople(async () => flags?.act(action) ?? false);
    case 'kill_instance': {
      const state = await world.state();
      const sturdy = state?.instances.filter(({ exits }) => exits.length < 2) ?? [];
      const victim = sturdy[action.index % Math.max(1, sturdy.length)];
      return victim !== undefined && workloads.crash(victim.id);
    }
    case 'fail_gateway':
      world.failGateway(action.fault, action.forMs);
      return true;
    case 'kill_gateway':
      world.killGateway(action.forMs);
      return true;
    case 'fail_store':
      world.failStore(action.fault, action.forMs);
      return true;
    case 'jump_clock':
      world.clock.jump(action.byMs);
      return true;
    case 'outlive':
      await world.outlive(action.forMs);
      return true;
    case 'restart_gateway':
      traffic.restart();
      return true;
    case 'restart':
    case 'suspend':
    case 'resume':
    case 'remove':
      break;
  }
  const { type } = action;
  return taken(scene, () => controller[type](address));
}

async function deploy({ world, invariants, declared }: Scene, deployment: Deployment, operation: string): Promise<boolean> {
  const desired = desiredRelease(deployment.release, operation, await withWay(world, deployment));
  // What is stored is what JSON keeps of it.
  declared.set(operation, JSON.parse(JSON.stringify(desired)) as DesiredService);
  await invariants.byPeople(() => world.controller.setDesired(desired));
  return true;
}

/** With `auto`, the settings that are chosen at this moment. */
async function withWay(world: World, { auto, ...deployment }: Deployment): Promise<Deployment> {
  if (auto === undefined) return deployment;
  const { release, replicas } = deployment;
  return { ...deployment, rollout: chosenFor(auto, { release, replicas, state: await world.state() }) };
}

async function operate(scene: Scene, { action, key, twice }: Action & { readonly type: 'operate' }): Promise<boolean> {
  const { world, invariants, pressed } = scene;
  const before = await world.state();
  const uid = before?.uid;
  const known = key === undefined ? undefined : pressed.get(key);
  const isKnown = known !== undefined && known.uid === uid;
  const mine = { uid, action: JSON.stringify(action) };
  const who = { by: 'somebody', key };
  if (isKnown && known.action !== mine.action) {
    const reused = await codeOf(world.controller.operate(address, action, who));
    invariants.check(reused === 'idempotency_key_reused', `6: another thing was asked for under a key: ${reused ?? 'it was done'}`);
    return false;
  }
  // It may have been done although nobody heard of it: where it led to was looked at when it was stored, and others have acted since.
  const isDone = isKnown || before?.asked?.some((asked) => asked.by === who.by && asked.key === key) === true;
  const ask = isKnown ? { most: 0, writes: 0 } : askUnder(scene, key, [uid, key, mine.action]);
  const send = (): Promise<boolean> =>
    taken(
      scene,
      async () => {
        const after = await world.controller.operate(address, action, who);
        if (action.type === 'rollback' && action.to !== undefined && !isDone) checkReturn(scene, action.to, after);
      },
      ask,
    );
  const isTaken = await allTaken(twice ? [send(), send()] : [send()]);
  if (isTaken && key !== undefined) pressed.set(key, mine);
  if (isKnown) invariants.see('pressed: again under the same key');
  else if (isDone) invariants.see('pressed: again under a key whose answer was lost');
  return isTaken;
}

/** The same one for what is sent again because no answer came. */
function askUnder({ sent }: Scene, key: string | undefined, what: readonly unknown[]): Ask {
  if (key === undefined) return { most: Number.POSITIVE_INFINITY, writes: 0 };
  const name = JSON.stringify(what);
  const ask: Ask = sent.get(name) ?? { most: 1, writes: 0 };
  sent.set(name, ask);
  return ask;
}

/** Two people see the same and press at the same moment. */
async function promoteSeen(scene: Scene, { full, off }: Action & { readonly type: 'promote_seen' }): Promise<boolean> {
  const { world } = scene;
  const state = await world.state();
  if (!state) return false;
  const release = revisionOf(state, targetGeneration(state))?.release ?? '';
  const stage = Math.max(1, (state.candidate?.course?.stage ?? 0) + 1 + off);
  const action = { type: 'promote', full, from: { release, stage } } as const;
  const ask: Ask = { most: 1, writes: 0 };
  const send = (): Promise<boolean> => taken(scene, () => world.controller.operate(address, action, { by: 'somebody' }), ask);
  return allTaken([send(), send()]);
}

async function rollBack(scene: Scene, index: number): Promise<boolean> {
  const { world } = scene;
  const kept = (await world.state())?.history ?? [];
  const to = kept[index % Math.max(1, kept.length)]?.release;
  if (to === undefined) return false;
  const action = { type: 'rollback', to } as const;
  return taken(scene, async () => checkReturn(scene, to, await world.controller.operate(address, action, { by: 'somebody' })));
}

function checkReturn({ invariants }: Scene, to: string, after: ServiceState): void {
  const reached = revisionOf(after, targetGeneration(after))?.release;
  invariants.check(reached === to, `5: ${to} was to be returned to, and ${reached ?? 'nothing'} is on its way`);
}

/** Asks for it; that it makes no sense at this moment is an answer. */
async function taken({ invariants }: Scene, ask: () => Promise<unknown>, counted?: Ask): Promise<boolean> {
  try {
    await invariants.byPeople(ask, counted);
    return true;
  } catch (error) {
    if (error instanceof SluiceError && answers.has(error.code)) return false;
    throw error;
  }
}

async function allTaken(asked: readonly Promise<boolean>[]): Promise<boolean> {
  const results = await Promise.allSettled(asked);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return results.every((result) => result.status === 'fulfilled' && result.value);
}

async function codeOf(asked: Promise<unknown>): Promise<string | undefined> {
  return asked.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof SluiceError && error.retry !== 'retry') return error.code;
      throw error;
    },
  );
}

const answers: ReadonlySet<string> = new Set([
  'no_rollout',
  'rollout_waits_for_approval',
  'rollout_has_no_stages',
  'experiment_has_no_arm',
  'experiment_arm_withdrawn',
  'rollout_nothing_to_retry',
  'release_not_kept',
  'unknown_service',
  'scaled_by_load',
  'rollout_moved_on',
  // Whether it was done under that key before was not heard.
  'idempotency_key_reused',
]);
