import type { Provider } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import type { RunContext } from './run-context.ts';
import { withRetry } from './retry.ts';
import { reportError } from './run-report.ts';
import { loadStates } from './states.ts';
import { type Step, walk } from './walk.ts';

const concurrency = 10;

type Dependencies = Pick<RunContext, 'store' | 'providers' | 'events' | 'clock' | 'random' | 'secrets' | 'lease' | 'limits'>;

/** Suspends every resource after all that depend on it. */
export function suspendEnvironment(dependencies: Dependencies, environment: string): Promise<void> {
  return visit(dependencies, environment, 'suspend', dependentsFirst);
}

/** Resumes every resource after all it depends on. */
export function resumeEnvironment(dependencies: Dependencies, environment: string): Promise<void> {
  return visit(dependencies, environment, 'resume', dependenciesFirst);
}

async function visit(
  dependencies: Dependencies,
  environment: string,
  call: 'suspend' | 'resume',
  order: (states: readonly ResourceState[]) => readonly Step<Address>[],
): Promise<void> {
  const { store, providers, events } = dependencies;
  const states = Array.from((await loadStates(store, environment)).values(), ({ state }) => state).filter(({ id }) => id !== '');
  const byAddress = new Map(states.map((state) => [state.address, state]));
  const done = call === 'suspend' ? 'suspended' : 'resumed';
  await walk(order(states), concurrency, async (address) => {
    const state = byAddress.get(address) as ResourceState;
    const provider = providers.providerFor(state.kind, state.provider);
    if (provider === undefined) return undefined;
    const subject = `${state.kind}/${state.name}`;
    try {
      await withRetry(dependencies, async () => {
        await dependencies.limits.take(provider);
        await dependencies.lease.ensureHeld();
        await visitOne(provider, call, state);
      });
      await events.publish({ type: `resource.${done}`, level: 'info', message: `${subject} ${done}`, environment, address });
    } catch (thrown) {
      const error = dependencies.secrets.scrubError(thrown);
      const data = { action: call, error: { ...reportError(error) } };
      await events.publish({
        type: 'change.failed',
        level: 'error',
        message: `${subject} could not be ${done}: ${error.message}`,
        environment,
        address,
        data,
      });
    }
    return undefined;
  });
}

function visitOne(provider: Provider, call: 'suspend' | 'resume', state: ResourceState): Promise<void> {
  return call === 'suspend' ? provider.suspend(state) : provider.resume(state);
}

function dependenciesFirst(states: readonly ResourceState[]): readonly Step<Address>[] {
  return states.map(({ address, dependencies }) => ({ key: address, after: dependencies }));
}

function dependentsFirst(states: readonly ResourceState[]): readonly Step<Address>[] {
  const dependents = new Map<Address, Address[]>(states.map(({ address }) => [address, []]));
  for (const { address, dependencies } of states) {
    for (const dependency of dependencies) dependents.get(dependency)?.push(address);
  }
  return Array.from(dependents, ([key, after]) => ({ key, after }));
}
