import type { RunBook } from '../api/ports.ts';
import { run as runSchema, type Run } from '../api/schemas/run.ts';
import type { Json } from '../digest/json.ts';
import { timestamp, type Clock } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { sluiceError, toSluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { ResolvedStack } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';
import type { ReloadablePlans } from './plan-book.ts';
import { beginRun, concludeRun, foldEvent, interruptRun, type RunOutcome, type StoredRun } from './run-progress.ts';

/** Makes a plan real, telling of each change by events of the run. Resolves also when changes failed; rejects when it could not begin. */
export interface PlanApplier {
  apply(plan: Plan, stack: ResolvedStack | undefined, options: { run: string; signal: AbortSignal }): Promise<RunOutcome>;
}

export interface RunBookDependencies {
  readonly store: Store;
  readonly events: EventLog;
  readonly plans: ReloadablePlans;
  readonly engine: PlanApplier;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of errors that are nobody's mistake but the program's. */
  readonly report: (error: SluiceError, run: string) => void;
}

export interface ControlledRuns extends RunBook {
  /** Settles the runs that a control plane which is no more has left behind. Called once, before any run starts. */
  settleInterrupted(): Promise<void>;
  /** Cancels every run and waits until each has ended; none can be started any more. */
  cancelAll(): Promise<void>;
}

interface ActiveRun {
  readonly id: string;
  readonly abort: AbortController;
  done: Promise<void>;
}

const collection = 'runs';
const page = 500;
const kept = 500;

export function createRunBook({ store, events, plans, engine, clock, random, report }: RunBookDependencies): ControlledRuns {
  /** By environment: two runs never change one environment at the same time. */
  const active = new Map<string, ActiveRun>();
  let isEnding = false;
  /** How far the events of each running run have been taken in, and whether its end was among them. */
  const progress = new Map<string, { run: StoredRun; position: number; told: boolean }>();

  const save = (run: StoredRun): Promise<unknown> =>
    store.transact([{ operation: 'put', collection, key: run.id, value: run as unknown as Json }]);

  const find = async (id: string): Promise<StoredRun> => {
    const document = await store.get(collection, id);
    if (document === undefined) throw sluiceError('unknown_run', { id });
    return document.value as unknown as StoredRun;
  };

  const all = async (): Promise<readonly StoredRun[]> =>
    (await store.list(collection))
      .map(({ value }) => value as unknown as StoredRun)
      .toSorted((left, right) => right.startedAt.localeCompare(left.startedAt));

  /** A running run with all that has been told of it so far. */
  const takeIn = async (stored: StoredRun): Promise<{ run: StoredRun; told: boolean }> => {
    let { run, position, told } = progress.get(stored.id) ?? { run: stored, position: stored.eventsBefore, told: false };
    for (;;) {
      const fresh = await events.read(position, page);
      for (const event of fresh) {
        run = foldEvent(run, event);
        told ||= event.run === run.id && event.type === 'run.finished';
      }
      position = fresh.at(-1)?.sequence ?? position;
      if (fresh.length < page) break;
    }
    progress.set(stored.id, { run, position, told });
    return { run, told };
  };

  /** Who has seen the event of a run's end finds it ended: its document follows the event within moments, and is waited for. */
  const current = async (stored: StoredRun): Promise<StoredRun> => {
    if (stored.status !== 'running') return stored;
    const { run, told } = await takeIn(stored);
    const performing = [...active.values()].find(({ id }) => id === stored.id);
    if (performing === undefined) progress.delete(stored.id);
    if (!told || performing === undefined) return performing === undefined ? find(stored.id) : run;
    await performing.done;
    return find(stored.id);
  };

  const finish = async (run: StoredRun, told: boolean): Promise<void> => {
    await save(run);
    progress.delete(run.id);
    if (told) return;
    await events.publish({
      type: 'run.finished',
      level: 'error',
      message: `${run.environment}: ${run.status}${run.error === undefined ? '' : `, ${run.error.message}`}`,
      environment: run.environment,
      run: run.id,
      data: { status: run.status },
    });
  };

  const perform = async (begun: StoredRun, plan: Plan, stack: ResolvedStack | undefined, signal: AbortSignal): Promise<void> => {
    let outcome: RunOutcome | SluiceError;
    try {
      outcome = await engine.apply(plan, stack, { run: begun.id, signal });
    } catch (thrown) {
      outcome = toSluiceError(thrown);
      if (outcome.code === 'internal_error') {
        report(outcome, begun.id);
        outcome = sluiceError('internal_error', { reason: 'an unexpected error, written to the log of the control plane' });
      }
    }
    const { run, told } = await takeIn(begun);
    await finish(concludeRun(run, outcome, timestamp(clock.now())), told);
  };

  const begin = async (plan: string, run: ActiveRun): Promise<StoredRun> => {
    const reloaded = await plans.reload(plan);
    const eventsBefore = await events.last();
    const begun = beginRun(reloaded.plan, { id: run.id, startedAt: timestamp(clock.now()), eventsBefore });
    await plans.claim(plan, run.id);
    await save(begun);
    run.done = perform(begun, reloaded.plan, reloaded.stack, run.abort.signal)
      .catch((thrown: unknown) => report(toSluiceError(thrown), run.id))
      .finally(() => active.delete(begun.environment));
    return begun;
  };

  return {
    start: async (plan) => {
      const { environment } = await plans.get(plan);
      if (isEnding) throw sluiceError('shutting_down', {});
      const other = active.get(environment);
      if (other !== undefined) throw sluiceError('run_in_progress', { environment, run: other.id });
      const run: ActiveRun = { id: newId('run', random), abort: new AbortController(), done: Promise.resolve() };
      active.set(environment, run);
      try {
        return shown(await begin(plan, run));
      } catch (thrown) {
        active.delete(environment);
        throw thrown;
      }
    },

    get: async (id) => shown(await current(await find(id))),

    list: async ({ environment, limit }) => {
      const runs = (await all()).filter((run) => environment === undefined || run.environment === environment).slice(0, limit);
      return Promise.all(runs.map(async (run) => shown(await current(run))));
    },

    cancel: async (id) => {
      const run = await find(id);
      [...active.values()].find((candidate) => candidate.id === id)?.abort.abort(new Error('the run was cancelled'));
      return shown(await current(run));
    },

    eventsBefore: async (id) => {
      const document = await store.get(collection, id);
      return (document?.value as unknown as StoredRun | undefined)?.eventsBefore;
    },

    settleInterrupted: async () => {
      const runs = await all();
      for (const run of runs) {
        if (run.status !== 'running') continue;
        const last = await takeIn(run);
        await finish(interruptRun(last.run, timestamp(clock.now())), last.told);
      }
      const old = runs.slice(kept);
      if (old.length > 0) await store.transact(old.map(({ id }) => ({ operation: 'delete', collection, key: id })));
    },

    cancelAll: async () => {
      isEnding = true;
      const running = [...active.values()];
      for (const { abort } of running) abort.abort(new Error('the control plane is ending'));
      await Promise.all(running.map(({ done }) => done));
    },
  };
}

const shownRun = runSchema.unwrap();

function shown(stored: StoredRun): Run {
  return shownRun.parse(stored);
}
