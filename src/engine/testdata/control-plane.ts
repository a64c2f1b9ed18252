// A whole control plane over the simulated provider and a memory store, for tests.
import type { JsonObject } from '../../digest/json.ts';
import { type Clock, systemClock } from '../../effects/clock.ts';
import { type Random, seededRandom } from '../../effects/random.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Provider } from '../../providers/provider.ts';
import { createProviderRegistry } from '../../providers/registry.ts';
import { createSimulatedProvider, type SimulatedBehaviour } from '../../providers/simulated/simulated-provider.ts';
import { createSimulatedWorld, type SimulatedWorld } from '../../providers/simulated/simulated-world.ts';
import { createVault } from '../../secrets/file-vault.ts';
import { outputExpressions } from '../../stack/interpolate.ts';
import type { Kind, Reference, ResolvedBlock, ResolvedStack } from '../../stack/stack.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import { createEngine } from '../engine.ts';
import type { LeaseOwner } from '../lease-owner.ts';
import { createPlanner, type PlanOptions } from '../planner.ts';
import type { RunReport } from '../run-report.ts';

export const environment = 'test';
const position = { file: 'stack.yaml', line: 1, column: 1 };

/** Fields that refer to others by `kind.name` in `on`, and by interpolation anywhere. */
export function blockOf(kind: Kind, name: string, fields: JsonObject = {}): ResolvedBlock {
  const reference = (path: string, other: Kind, otherName: string, output?: string): Reference => ({
    path,
    kind: other,
    name: otherName,
    address: `${environment}/${other}/${otherName}`,
    ordering: true,
    position,
    ...(output !== undefined && { output }),
  });
  const on = (fields['on'] ?? []) as readonly string[];
  const references = [
    ...on.map((target, index) => {
      const [other, otherName] = target.split('.') as [Kind, string];
      return reference(`on.${index}`, other, otherName);
    }),
    ...outputExpressions(fields).map(({ kind, name, output }) => reference('env', kind, name, output)),
  ];
  return {
    kind,
    name,
    address: `${environment}/${kind}/${name}`,
    fields: { name, ...fields },
    references,
    position,
    positionOf: () => position,
    declares: () => true,
  };
}

export function stackOf(...blocks: readonly ResolvedBlock[]): ResolvedStack {
  const settings = { name: environment, provider: 'simulated', fields: {} };
  return { root: '/stack', files: ['stack.yaml'], environment: settings, environments: [environment], blocks };
}

/** A provider that lacks one of the things not every provider can do. */
export function without(provider: Provider, ability: 'move' | 'import'): Provider {
  return Object.fromEntries(Object.entries(provider).filter(([name]) => name !== ability)) as unknown as Provider;
}

export interface Setup {
  readonly store?: Store;
  readonly world?: SimulatedWorld;
  readonly behaviour?: SimulatedBehaviour;
  readonly seed?: number;
  readonly owner?: LeaseOwner;
  readonly clock?: Clock;
  readonly wrap?: (provider: Provider) => Provider;
}

/** Short waits pass at once; long ones (the renewal of a lease) never end by themselves. */
export const hastyClock: Clock = {
  ...systemClock,
  sleep: (milliseconds, signal) => (milliseconds < 10_000 ? Promise.resolve() : systemClock.sleep(2 ** 31 - 1, signal)),
};

export function createControlPlane(setup: Setup = {}) {
  const { store = createMemoryStore(), world = createSimulatedWorld(), seed = 1, clock = hastyClock, behaviour = {}, wrap } = setup;
  const random: Random = seededRandom(seed);
  const simulated = createSimulatedProvider({ world, clock, random: seededRandom(seed + 1), behaviour });
  const provider = wrap ? wrap(simulated) : simulated;
  const providers = createProviderRegistry({ environmentProviders: { simulated: provider }, kindProviders: [] });
  const vault = createVault(new Uint8Array(32).fill(7), random);
  const events = createEventLog({ store, clock });
  const planner = createPlanner({ store, providers, vault, clock, random });
  const engine = createEngine({ store, providers, vault, events, clock, random, ...(setup.owner && { owner: setup.owner }) });
  let runs = 0;
  const applyPlan = (plan: Plan, stack?: ResolvedStack, signal = new AbortController().signal): Promise<RunReport> => {
    runs += 1;
    return engine.apply(plan, stack, { run: `run-${runs}`, signal });
  };
  /** Everything recorded may go: most tests are not about what is guarded. */
  const anything = async (): Promise<PlanOptions> => ({
    allowDestroy: (await store.list('resources', `${environment}/`)).map(({ key }) => key),
    allowMassDestroy: true,
  });
  return {
    anything,
    store,
    world,
    vault,
    providers,
    events,
    planner,
    engine,
    applyPlan,
    apply: async (stack: ResolvedStack, options?: PlanOptions) =>
      applyPlan(await planner.plan(stack, options ?? (await anything())), stack),
    destroy: async (options?: PlanOptions) => applyPlan(await planner.planDestroy(environment, options)),
  };
}
export type ControlPlane = ReturnType<typeof createControlPlane>;
