import { timestamp } from '../effects/clock.ts';
import { type Problem, sluiceError } from '../errors/sluice-error.ts';
import { digestStack, digestStates } from '../plan/digests.ts';
import type { Plan } from '../plan/plan.ts';
import { movedOn } from '../plan/stale.ts';
import type { Address, ResolvedStack } from '../stack/stack.ts';
import { runPlan } from './apply.ts';
import { forgetResource } from './forget.ts';
import { acquireLease, type Lease, processOwner } from './lease.ts';
import { createTurns } from './limited.ts';
import { fingerprintAll, providersOf } from './planner.ts';
import type { EngineDependencies, RunContext } from './run-context.ts';
import type { RunReport } from './run-report.ts';
import { loadStates } from './states.ts';
import { resumeEnvironment, suspendEnvironment } from './suspension.ts';

interface ApplyOptions {
  /** Name of the run; all its events carry it. */
  readonly run: string;
  /** Cancels: what is under way is finished, nothing more is begun. */
  readonly signal: AbortSignal;
  /** Changes made at the same time; 10 unless told otherwise. */
  readonly concurrency?: number;
}

export interface Engine {
  /**
   * Makes a plan real. `stack` is the one it was made from; undefined for a plan that destroys. Failures of single changes are in the
   * report, not thrown. Throws `plan_stale` when the stack or the state has moved on and `environment_busy` while another control plane
   * is at work; in both cases nothing was changed. Runs of one environment wait for each other.
   */
  apply(plan: Plan, stack: ResolvedStack | undefined, options: ApplyOptions): Promise<RunReport>;
  /**
   * Forgets a resource without touching it: the record goes, with an entry in the journal and an event that names who. Throws
   * `unknown_resource` and `environment_busy`.
   */
  forget(address: Address, actor: { readonly key: string; readonly name: string }): Promise<void>;
  /**
   * Stops everything that runs, dependents first; identity and data stay. Failures become events; resolves with the resources they are of.
   * An aborted signal ends all waits: what has not stopped by then has failed to.
   */
  suspendAll(signal?: AbortSignal): Promise<readonly Address[]>;
  /** Runs again everything that should run, dependencies first. As above; nothing more is resumed once the signal is aborted. */
  resumeAll(signal?: AbortSignal): Promise<readonly Address[]>;
  /** At start: says which changes a crash cut short. Their states are left as they are; the next plan continues them. */
  recover(): Promise<void>;
}

export function createEngine(dependencies: EngineDependencies): Engine {
  const { store, providers, events, clock } = dependencies;
  const owner = dependencies.owner ?? processOwner();
  const inTurn = createTurns();

  const applyHolding = async (lease: Lease, plan: Plan, stack: ResolvedStack | undefined, options: ApplyOptions): Promise<RunReport> => {
    const states = await loadStates(store, plan.environment);
    const versions = Array.from(states, ([address, { version }]) => ({ address, version }));
    if (digestStates(versions) !== plan.stateDigest) throw stale(plan, movedOn(plan, versions));
    const found: Problem[] = [];
    const fingerprints = stack === undefined ? new Map() : await fingerprintAll(stack, providersOf(stack, providers), found);
    if (plan.mode === 'apply') {
      const same =
        stack?.environment.name === plan.environment && found.length === 0 && digestStack(stack, fingerprints) === plan.stackDigest;
      if (!same) throw stale(plan, 'the stack or a file it names has changed since');
    }
    const blocks = new Map(stack?.blocks.map((block) => [block.address, block]));
    const { run, signal: cancelled, concurrency = 10 } = options;
    const context: RunContext = {
      ...dependencies,
      plan,
      run,
      stack,
      blocks,
      fingerprints,
      states,
      failedMoves: new Map(),
      lease,
      cancelled,
    };
    return runPlan(context, concurrency);
  };

  return {
    apply: (plan, stack, options) =>
      inTurn(plan.environment, async () => {
        const lease = await acquireLease({ store, clock, owner }, plan.environment);
        try {
          return await applyHolding(lease, plan, stack, options);
        } finally {
          await lease.release();
        }
      }),

    forget: (address, actor) => {
      const environment = address.slice(0, address.indexOf('/'));
      return inTurn(environment, async () => {
        const lease = await acquireLease({ store, clock, owner }, environment);
        try {
          await forgetResource(dependencies, address, actor);
        } finally {
          await lease.release();
        }
      });
    },

    suspendAll: (signal = never) => forEachEnvironment((environment) => suspendEnvironment(dependencies, environment, signal)),
    resumeAll: (signal = never) => forEachEnvironment((environment) => resumeEnvironment(dependencies, environment, signal)),

    recover: async () => {
      for (const { state } of (await loadStates(store)).values()) {
        if (state.status === 'ready' || state.status === 'failed') continue;
        const { environment, address, status, operation } = state;
        const message = `${status} ${address} was cut short at ${timestamp(Date.parse(state.updatedAt))}; the next apply continues it`;
        await events.publish({ type: 'change.failed', level: 'warning', message, environment, address, data: { operation, status } });
      }
    },
  };

  async function forEachEnvironment(task: (environment: string) => Promise<readonly Address[]>): Promise<readonly Address[]> {
    const environments = new Set(Array.from((await loadStates(store)).values(), ({ state }) => state.environment));
    return (await Promise.all(Array.from(environments, (environment) => inTurn(environment, () => task(environment))))).flat();
  }
}

const never = new AbortController().signal;

function stale({ id }: Plan, reason: string) {
  return sluiceError('plan_stale', { id, reason });
}
