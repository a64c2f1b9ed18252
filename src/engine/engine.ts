import { timestamp } from '../effects/clock.ts';
import { createTurns } from '../effects/turns.ts';
import { type Problem, sluiceError } from '../errors/sluice-error.ts';
import { digestStack, digestStates } from '../plan/digests.ts';
import type { Plan } from '../plan/plan.ts';
import { movedOn } from '../plan/stale.ts';
import { createKnownSecrets, learningVault } from '../secrets/known-secrets.ts';
import type { Address, ResolvedStack } from '../stack/stack.ts';
import type { JsonObject } from '../digest/json.ts';
import { concludeRun, seeAllThrough, type Walked, walkPlan } from './apply.ts';
import { createCopyBook } from './copy-book.ts';
import { forgetResource } from './forget.ts';
import { processOwner } from './lease-owner.ts';
import { createLeases, type Lease, type LeaseHolder, type LeaseWork, describeHolder } from './lease.ts';
import { createRateLimits } from './rate-limit.ts';
import { fingerprintAll, providersOf } from './planner.ts';
import type { EngineDependencies, RunContext } from './run-context.ts';
import type { RunReport } from './run-report.ts';
import { loadStates } from './states.ts';
import { resumeEnvironment, suspendEnvironment } from './suspension.ts';

interface ApplyOptions {
  /** Name of the run; all its events carry it. */
  readonly run: string;
  /** Who wants it; told to the providers. */
  readonly by?: string;
  /** Cancels: what is under way is finished, nothing more is begun. */
  readonly signal: AbortSignal;
  /** Changes made at the same time; as many as all providers of the plan bear unless told otherwise. */
  readonly concurrency?: number;
  /** Content of the stack's files as it is recorded, for a plan that repairs; read again when absent. */
  readonly fingerprints?: ReadonlyMap<Address, JsonObject>;
  /** Called once the environment is free for others, when the run then goes on merely to see the end of what it began. */
  readonly onFree?: () => void;
}

export interface Engine {
  /**
   * Makes a plan real. `stack` is the one it was made from; undefined for a plan that destroys. Failures of single changes are in the
   * report, not thrown. Throws `plan_stale` when the stack or the state has moved on and `environment_busy` while another control plane
   * is at work; in both cases nothing was changed. Runs of one environment wait for each other, but not for what only goes on by itself: a
   * rollout by stages, which a later run may then supersede.
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
  /**
   * Runs a task that edits the state of an environment by itself, as its only writer: all it writes goes through the lease it is given.
   * Throws `environment_busy`. Waits for runs of this engine.
   */
  exclusively<Result>(environment: string, task: (lease: Lease) => Promise<Result>): Promise<Result>;
  /** Who is changing an environment at this moment; undefined when nobody is. */
  lock(environment: string): Promise<EnvironmentLock | undefined>;
  /**
   * Takes the environment away from whoever is changing it: that run ends with `lease_lost` and changes nothing more. Resolves with whom it
   * interrupted; undefined when nobody was at work. `by` names who did it. With `since`, only the holder that began then: throws
   * `lock_changed` for another.
   */
  unlock(environment: string, by: string, since?: string): Promise<LeaseHolder | undefined>;
  /** At start: says which changes a crash cut short. Their states are left as they are; the next plan continues them. */
  recover(): Promise<void>;
}

type EnvironmentLock = LeaseHolder & { readonly mayBeAlive: boolean };

export function createEngine(given: EngineDependencies): Engine {
  const { store, providers, events, clock, owner = processOwner(), secrets = createKnownSecrets() } = given;
  const dependencies = {
    ...given,
    secrets,
    vault: given.secrets === undefined ? learningVault(given.vault, secrets) : given.vault,
    limits: createRateLimits(clock),
  };
  const leases = createLeases({ store, clock, owner });
  const inTurn = createTurns();

  const applyHolding = async (lease: Lease, plan: Plan, stack: ResolvedStack | undefined, options: ApplyOptions): Promise<Walked> => {
    const states = await loadStates(store, plan.environment);
    const versions = Array.from(states, ([address, { version }]) => ({ address, version }));
    if (digestStates(versions) !== plan.stateDigest) throw stale(plan, movedOn(plan, versions));
    const found: Problem[] = [];
    const fingerprints =
      options.fingerprints ?? (stack === undefined ? new Map() : await fingerprintAll(stack, providersOf(stack, providers), found));
    if (plan.mode === 'apply') {
      const same =
        stack?.environment.name === plan.environment && found.length === 0 && digestStack(stack, fingerprints) === plan.stackDigest;
      if (!same) throw stale(plan, 'the stack or a file it names has changed since');
    }
    const blocks = new Map(stack?.blocks.map((block) => [block.address, block]));
    const { run, signal: cancelled } = options;
    const context: RunContext = {
      ...dependencies,
      plan,
      run,
      stack,
      blocks,
      fingerprints,
      states,
      copies: createCopyBook(states),
      failedMoves: new Map(),
      unfinished: new Map(),
      lease,
      cancelled,
      ...(options.by !== undefined && { by: options.by }),
    };
    return walkPlan(context, options.concurrency ?? bearable(context));
  };

  const holding = <Result>(environment: string, work: LeaseWork, task: (lease: Lease) => Promise<Result>): Promise<Result> =>
    inTurn(environment, async () => {
      const lease = await leases.acquire(environment, work);
      try {
        return await task(lease);
      } finally {
        await lease.release();
      }
    });

  return {
    apply: async (plan, stack, options) => {
      const { environment } = plan;
      const work = { work: plan.mode, run: options.run };
      const { walked, report } = await holding(environment, work, async (lease) => {
        const found = await applyHolding(lease, plan, stack, options);
        return { walked: found, report: found.context.unfinished.size === 0 ? await concludeRun(found) : undefined };
      });
      if (report) return report;
      options.onFree?.();
      return concludeRun(await seeAllThrough(walked, (task) => holding(environment, work, task)));
    },

    suspendAll: (signal = never) => forEachEnvironment('suspend', suspendEnvironment, signal),
    resumeAll: (signal = never) => forEachEnvironment('resume', resumeEnvironment, signal),

    exclusively: (environment, task) => holding(environment, { work: 'edit' }, task),

    forget: (address, actor) =>
      holding(address.slice(0, address.indexOf('/')), { work: 'edit' }, (lease) =>
        forgetResource({ ...dependencies, lease }, address, actor),
      ),

    lock: (environment) => leases.holder(environment),

    unlock: async (environment, by, since) => {
      const holder = await leases.breakLease(environment, (found) => {
        if (since !== undefined && found.since !== since) throw sluiceError('lock_changed', { environment });
        const message = `${environment} was unlocked by '${by}', which interrupted ${describeHolder(found)}`;
        const run = found.run === undefined ? {} : { run: found.run };
        return [events.entry({ type: 'environment.unlocked', level: 'warning', message, environment, ...run })];
      });
      if (holder !== undefined) events.announce();
      return holder;
    },

    recover: async () => {
      for (const { state } of (await loadStates(store)).values()) {
        if (state.status === 'ready' || state.status === 'failed') continue;
        const { environment, address, status, operation } = state;
        const message = `${status} ${address} was cut short at ${timestamp(Date.parse(state.updatedAt))}; the next apply continues it`;
        await events.publish({ type: 'change.failed', level: 'warning', message, environment, address, data: { operation, status } });
      }
    },
  };

  async function forEachEnvironment(
    work: 'suspend' | 'resume',
    task: (
      context: typeof dependencies & { readonly lease: Lease },
      environment: string,
      signal: AbortSignal,
    ) => Promise<readonly Address[]>,
    signal: AbortSignal,
  ): Promise<readonly Address[]> {
    const states = Array.from((await loadStates(store)).values(), ({ state }) => state);
    const visit = async (environment: string): Promise<readonly Address[]> => {
      try {
        const lease = await leases.acquire(environment, { work });
        try {
          return await task({ ...dependencies, lease }, environment, AbortSignal.any([signal, lease.lost]));
        } finally {
          await lease.release();
        }
      } catch (thrown) {
        const { message } = secrets.scrubError(thrown);
        await events.publish({ type: 'change.failed', level: 'error', message: `${environment}: cannot ${work}: ${message}`, environment });
        return states.flatMap((state) => (state.environment === environment ? [state.address] : []));
      }
    };
    const environments = new Set(states.map(({ environment }) => environment));
    return (await Promise.all(Array.from(environments, (environment) => inTurn(environment, () => visit(environment))))).flat();
  }
}

const never = new AbortController().signal;
/** How many changes at the same time all providers of the plan bear. */
function bearable({ plan, states, stack, providers }: RunContext): number {
  const most = plan.changes.flatMap(({ action, kind, address }) => {
    const name = states.get(address)?.state.provider ?? stack?.environment.provider;
    if (action === 'none' || name === undefined) return [];
    return [providers.providerFor(kind, name)?.concurrency ?? usualConcurrency];
  });
  return most.reduce((least, each) => Math.min(least, each), most[0] ?? usualConcurrency);
}

const usualConcurrency = 10;

function stale({ id }: Plan, reason: string) {
  return sluiceError('plan_stale', { id, reason });
}
