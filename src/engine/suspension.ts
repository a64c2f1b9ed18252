import { oldCopies, usersOf } from '../plan/copies.ts';
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

/** Suspends every resource after all that depend on it; resolves with those that could not be. An aborted signal ends all waits. */
export function suspendEnvironment(dependencies: Dependencies, environment: string, signal: AbortSignal): Promise<readonly Address[]> {
  return visit(dependencies, environment, 'suspend', dependentsFirst, signal);
}

/** Resumes every resource after all it depends on. An aborted signal ends all waits; nothing more is resumed then. */
export function resumeEnvironment(dependencies: Dependencies, environment: string, signal: AbortSignal): Promise<readonly Address[]> {
  return visit(dependencies, environment, 'resume', dependenciesFirst, signal);
}

async function visit(
  dependencies: Dependencies,
  environment: string,
  call: 'suspend' | 'resume',
  order: (states: readonly ResourceState[]) => readonly Step<Address>[],
  signal: AbortSignal,
): Promise<readonly Address[]> {
  const { store, providers, events } = dependencies;
  // What was never finished is not run again, but it may have begun to run.
  const states = Array.from((await loadStates(store, environment)).values(), ({ state }) => state).filter(
    ({ id }) => call === 'suspend' || id !== '',
  );
  const byAddress = new Map(states.map((state) => [state.address, state]));
  const done = call === 'suspend' ? 'suspended' : 'resumed';
  const failed: Address[] = [];
  await walk(order(states), concurrency, async (address) => {
    if (call === 'resume' && signal.aborted) return undefined;
    const state = byAddress.get(address) as ResourceState;
    const provider = providers.providerFor(state.kind, state.provider);
    if (provider === undefined) return undefined;
    const subject = `${state.kind}/${state.name}`;
    try {
      const attempt = async (): Promise<void> => {
        await dependencies.limits.take(provider, signal);
        await dependencies.lease.ensureHeld();
        await visitOne(provider, call, state, signal);
      };
      await withRetry(dependencies, attempt, { signal });
      await events.publish({ type: `resource.${done}`, level: 'info', message: `${subject} ${done}`, environment, address });
    } catch (thrown) {
      failed.push(address);
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
  return failed;
}

function visitOne(provider: Provider, call: 'suspend' | 'resume', state: ResourceState, signal: AbortSignal): Promise<void> {
  return call === 'suspend' ? provider.suspend(state, signal) : provider.resume(state, signal);
}

function dependenciesFirst(states: readonly ResourceState[]): readonly Step<Address>[] {
  const needsOf = needsIn(states);
  return states.map((state) => ({ key: state.address, after: needsOf(state) }));
}

/** What each needs to run, the old copies that it has not turned from included. */
function needsIn(states: readonly ResourceState[]): (state: ResourceState) => readonly Address[] {
  const { uses } = usersOf(states, oldCopies(states));
  return ({ address, dependencies, status }) =>
    status === 'ready' ? [...dependencies, ...(uses.get(address) ?? []).map((copy) => copy.address)] : dependencies;
}

function dependentsFirst(states: readonly ResourceState[]): readonly Step<Address>[] {
  const dependents = new Map<Address, Address[]>(states.map(({ address }) => [address, []]));
  const needsOf = needsIn(states);
  for (const state of states) {
    for (const need of needsOf(state)) dependents.get(need)?.push(state.address);
  }
  return Array.from(dependents, ([key, after]) => ({ key, after }));
}
