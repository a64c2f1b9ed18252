import { type Random, seededRandom } from '../../effects/random.ts';
import { SluiceError } from '../../errors/sluice-error.ts';
import type { RunReport } from '../run-report.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Address, ResolvedStack } from '../../stack/stack.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { createCloud } from './cloud.ts';
import { type ControlPlane, type Fate, startControlPlane } from './control-plane.ts';
import { assertConverged } from './converged.ts';
import { createLedger } from './ledger.ts';
import { type Faults, noFaults } from './provider.ts';
import { createScheduler } from './scheduler.ts';
import { edit, environment, pick, type Sketch, sketchStack, toStack } from './stacks.ts';
import { createTrace } from './trace.ts';
import { Violation } from './violation.ts';
import { emptyTally, type Tally, type World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  /** Equal for equal histories. */
  readonly digest: string;
  readonly tally: Tally;
  readonly violation?: Violation;
  readonly trace: readonly string[];
}

/** Plays the history of a seed and checks every promise. The same seed plays the same history, to the last effect. */
export async function playHistory(
  seed: number,
  options: { readonly keepTrace?: boolean; readonly tamper?: World['tamper'] } = {},
): Promise<Outcome> {
  const random = seededRandom(seed);
  const trace = createTrace(options.keepTrace === true);
  const scheduler = createScheduler(seededRandom(seed ^ 0x5e_ed), trace);
  const tally = emptyTally();
  const running = new Map<string, ControlPlane>();
  const deathsAreKnown = random.next() < 0.7;
  const world: World = {
    random,
    scheduler,
    trace,
    store: createMemoryStore(),
    cloud: createCloud(random.next() < 0.5),
    ledger: createLedger(),
    tally,
    allowed: new Set(),
    tamper: options.tamper ?? ((writes) => writes),
    emptied: new Set(),
    mayBeAlive: (name) => !deathsAreKnown || (running.get(name)?.alive() ?? false),
  };
  try {
    await scheduler.run(() => play(world, running));
    return { seed, digest: trace.digest(), tally, trace: trace.lines };
  } catch (thrown) {
    const violation =
      thrown instanceof Violation
        ? thrown
        : new Violation('comes_to_an_end', thrown instanceof Error ? (thrown.stack ?? '') : String(thrown));
    trace.add(violation.message);
    return { seed, digest: trace.digest(), tally, violation, trace: trace.lines };
  }
}

async function play(world: World, running: Map<string, ControlPlane>): Promise<void> {
  const { random } = world;
  const faults = randomFaults(random);
  const start = (fate: Fate, given: Faults): ControlPlane => {
    const plane = startControlPlane(world, { name: `p${running.size + 1}`, fate, faults: given });
    running.set(plane.name, plane);
    return plane;
  };
  let wanted: readonly Sketch[] = sketchStack(random, 1 + Math.floor(random.next() * 5));
  const steps = 1 + Math.floor(random.next() * 3);
  for (let step = 0; step < steps; step += 1) {
    if (step > 0) {
      outsideChange(world);
      for (let edits = 1 + Math.floor(random.next() * 3); edits > 0; edits -= 1) wanted = edit(random, wanted);
    }
    const goals = [wanted];
    if (random.next() < 0.15) {
      world.tally.competitions += 1;
      goals.push(random.next() < 0.5 ? wanted : edit(random, wanted));
    }
    await Promise.all(goals.map((goal) => attempt(world, start(randomFate(random), faults), toStack(goal))));
  }
  outsideChange(world);
  await finish(world, start({}, noFaults), toStack(wanted));
  if (random.next() < 0.1) await finish(world, start({}, noFaults), toStack([]));
}

/** One user's try: it may be refused, fail, be cancelled or die; whatever it comes to must be an outcome that the catalogue foresees. */
async function attempt(world: World, plane: ControlPlane, stack: ResolvedStack): Promise<void> {
  const limits = randomLimits(world.random, stack);
  const work = async (): Promise<void> => {
    await plane.engine.recover();
    for (let tries = 0; tries < 3; tries += 1) {
      try {
        await planAndApply(world, plane, stack, { mayAllow: world.random.next() < 0.5, ...limits });
        return;
      } catch (error) {
        const code = error instanceof SluiceError ? error.code : undefined;
        if (code === undefined || !foreseen.has(code)) throw error;
        world.tally.refusals += 1;
        world.trace.add(`${plane.name} is refused: ${code}`);
        if (code !== 'environment_busy') return;
        await world.scheduler.clock.sleep(20_000);
      }
    }
  };
  await Promise.race([work(), plane.died]);
}

const foreseen: ReadonlySet<string> = new Set([
  'plan_stale',
  'plan_refused',
  'environment_busy',
  'lease_lost',
  'store_conflict',
  'protected_resource',
  'mass_destroy',
]);

/** Without faults and all alone, any stack must come true at the first try, whatever went before. */
async function finish(world: World, plane: ControlPlane, stack: ResolvedStack): Promise<void> {
  const { cloud, scheduler } = world;
  await plane.engine.recover();
  cloud.stranded.length = 0;
  for (;;) {
    try {
      const report = await planAndApply(world, plane, stack, { mayAllow: true });
      if (report.status !== 'succeeded') {
        const failed = report.results.find(({ status }) => status !== 'done');
        throw new Violation('converges', `a faultless apply ${report.status}: ${failed?.error?.message ?? ''}`);
      }
      break;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'environment_busy') throw error;
      await scheduler.clock.sleep(20_000);
    }
  }
  await assertConverged(world, plane, stack);
}

interface Wish {
  /** Whether what a safeguard refuses is allowed, as a user would who means it. */
  readonly mayAllow: boolean;
  readonly targets?: readonly Address[];
  readonly excludes?: readonly Address[];
}

async function planAndApply(world: World, plane: ControlPlane, stack: ResolvedStack, wish: Wish): Promise<RunReport> {
  const plan = await planAllowing(world, plane, stack, wish);
  if (plan.mode === 'destroy') for (const { address } of plan.changes) world.emptied.add(address);
  const given = plan.mode === 'destroy' ? undefined : stack;
  const report = await plane.engine.apply(plan, given, { run: `run-${plane.name}`, signal: plane.cancelled });
  const defect = report.results.find(({ error }) => error?.code === 'internal_error');
  if (defect !== undefined) throw new Violation('comes_to_an_end', `${defect.address}: ${defect.error?.message}`);
  return report;
}

async function planAllowing(
  { allowed }: World,
  { planner }: ControlPlane,
  stack: ResolvedStack,
  { mayAllow, ...limits }: Wish,
): Promise<Plan> {
  const options = { allowDestroy: [] as Address[], allowMassDestroy: false, ...limits };
  for (;;) {
    try {
      return await (stack.blocks.length === 0 ? planner.planDestroy(environment, options) : planner.plan(stack, options));
    } catch (error) {
      const code: string = error instanceof SluiceError ? error.code : '';
      if (!mayAllow || !(error instanceof SluiceError)) throw error;
      if (code === 'mass_destroy' && !options.allowMassDestroy) options.allowMassDestroy = true;
      else if (code === 'protected_resource' && options.allowDestroy.length === 0) {
        const named = error.problems.flatMap(({ address }) => (address === undefined ? [] : [address as Address]));
        options.allowDestroy = named;
        for (const address of named) allowed.add(address);
      } else throw error;
    }
  }
}

/** Now and then only a part of a stack is applied: what is replaced in it may have users outside. */
function randomLimits(random: Random, { blocks }: ResolvedStack): Pick<Wish, 'targets' | 'excludes'> {
  const roll = random.next();
  if (roll > 0.14 || blocks.length === 0) return {};
  const { address } = pick(random, blocks);
  return roll < 0.07 ? { targets: [address] } : { excludes: [address] };
}

function randomFaults(random: Random): Faults {
  if (random.next() < 0.3) return noFaults;
  const share = (most: number): number => (random.next() < 0.5 ? 0 : random.next() * most);
  return {
    latencyMs: random.next() < 0.3 ? 4_000 : 0,
    throttling: share(0.3),
    failures: share(0.3),
    lostAnswers: share(0.4),
    quota: random.next() < 0.15 ? 3 : Number.POSITIVE_INFINITY,
  };
}

function randomFate(random: Random): Fate {
  const at = 1 + Math.floor(random.next() * random.next() * 70);
  const roll = random.next();
  if (roll < 0.5) return { crashAt: at };
  if (roll < 0.58) return { pauseAt: at };
  return roll < 0.66 ? { cancelAt: at } : {};
}

/** Somebody changes something without Sluice. */
function outsideChange({ random, cloud, ledger, tally, trace }: World): void {
  // What a creation that was cut short left is not known well enough to be compared: the next one takes it as it is.
  const known = [...cloud.resources.values()].filter(({ id }) => ledger.recordOf(id) !== undefined);
  if (known.length === 0 || random.next() < 0.7) return;
  tally.drifts += 1;
  const resource = pick(random, known);
  const roll = random.next();
  trace.add(`somebody changes ${resource.address}`);
  if (roll < 0.4) cloud.resources.delete(resource.id);
  else if (roll < 0.7) cloud.resources.set(resource.id, { ...resource, running: false });
  else cloud.resources.set(resource.id, { ...resource, declared: { ...resource.declared, size: 99 } });
}
