import type { RunBook, RunOrder } from '../api/ports.ts';
import { auditActor } from '../api/audited.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/audit-record.ts';
import { digestJson } from '../digest/digest.ts';
import { run as runSchema, type Run } from '../api/schemas/run.ts';
import type { Json } from '../digest/json.ts';
import { timestamp, type Clock } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { sluiceError, toSluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { ResolvedStack } from '../stack/stack.ts';
import type { Store, Write } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';
import type { ReloadablePlans, ReloadedPlan } from './plan-book.ts';
import { beginRun, concludeRun, endOf, foldEvent, interruptRun, type RunEnd, type RunOutcome, type StoredRun } from './run-progress.ts';

/** Makes a plan real, telling of each change by events of the run. Resolves also when changes failed; rejects when it could not begin. */
export interface PlanApplier {
  apply(plan: Plan, stack: ResolvedStack | undefined, options: ApplyOptions): Promise<RunOutcome>;
}

interface ApplyOptions {
  readonly run: string;
  readonly by?: string;
  readonly signal: AbortSignal;
  readonly concurrency?: number;
  readonly fingerprints?: NonNullable<ReloadedPlan['fingerprints']>;
  readonly onFree?: () => void;
}

export interface RunBookDependencies {
  readonly audit: Pick<AuditLog, 'append'>;
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

export function createRunBook({ store, events, plans, engine, clock, random, report, audit }: RunBookDependencies): ControlledRuns {
  /** By environment: two runs never change one environment at the same time. */
  const active = new Map<string, ActiveRun>();
  /** By id: those that are active, and those that only see to the end of what they began. */
  const performing = new Map<string, ActiveRun>();
  const release = (environment: string, { id }: Pick<ActiveRun, 'id'>): void => {
    if (active.get(environment)?.id === id) active.delete(environment);
  };
  let isEnding = false;
  /** How far the events of each running run have been taken in, and whether its end was among them. */
  const progress = new Map<string, { run: StoredRun; position: number; told: RunEnd | undefined }>();

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
  const takeIn = async (stored: StoredRun): Promise<{ run: StoredRun; told: RunEnd | undefined }> => {
    let { run, position, told } = progress.get(stored.id) ?? {
      run: stored,
      position: stored.eventsBefore,
      told: undefined,
    };
    for (;;) {
      const fresh = await events.read(position, page);
      for (const event of fresh) {
        run = foldEvent(run, event);
        if (event.run === run.id && event.type === 'run.finished') told = endOf(event);
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
    const mine = performing.get(stored.id);
    if (mine === undefined) progress.delete(stored.id);
    if (told === undefined || mine === undefined) return mine === undefined ? find(stored.id) : run;
    await mine.done;
    return find(stored.id);
  };

  const finish = async (run: StoredRun, told: boolean): Promise<void> => {
    const end = events.entry({
      type: 'run.finished',
      level: 'error',
      message: `${run.environment}: ${run.status}${run.error === undefined ? '' : `, ${run.error.message}`}`,
      environment: run.environment,
      run: run.id,
      data: { status: run.status },
    });
    await audit.append(auditedEnd(run), [saving(run), ...(told ? [] : [end])]);
    progress.delete(run.id);
    if (!told) events.announce();
  };

  const perform = async (
    begun: StoredRun,
    { plan, stack, fingerprints }: ReloadedPlan,
    signal: AbortSignal,
    concurrency: number | undefined,
  ): Promise<void> => {
    let outcome: RunOutcome | SluiceError;
    try {
      const more = { ...(concurrency !== undefined && { concurrency }), ...(fingerprints && { fingerprints }) };
      const onFree = (): void => release(begun.environment, begun);
      outcome = await engine.apply(plan, stack, {
        run: begun.id,
        signal,
        onFree,
        ...(begun.by !== undefined && { by: begun.by }),
        ...more,
      });
    } catch (thrown) {
      outcome = toSluiceError(thrown);
      if (outcome.code === 'internal_error') {
        report(outcome, begun.id);
        outcome = sluiceError('internal_error', { reason: 'an unexpected error, written to the log of the control plane' });
      }
    }
    const { run, told } = await takeIn(begun);
    await finish(concludeRun({ ...run, audit: begun.audit }, outcome, timestamp(clock.now())), told !== undefined);
  };

  const begin = async (plan: string, run: ActiveRun, { actor, reason, parallelism }: RunOrder): Promise<StoredRun> => {
    const reloaded = await plans.reload(plan);
    const eventsBefore = await events.last();
    const by = { by: actor.name, ...(reason !== undefined && { reason }) };
    const begun = beginRun(reloaded.plan, { id: run.id, startedAt: timestamp(clock.now()), eventsBefore, ...by });
    await plans.claim(plan, run.id);
    const { sequence } = await audit.append(auditedBegin(begun, reloaded.plan, actor), [saving(begun)]);
    run.done = perform({ ...begun, audit: sequence }, reloaded, run.abort.signal, parallelism)
      .catch((thrown: unknown) => report(toSluiceError(thrown), run.id))
      .finally(() => {
        release(begun.environment, begun);
        performing.delete(begun.id);
      });
    return begun;
  };

  return {
    start: async (plan, order) => {
      const { environment } = await plans.get(plan);
      if (isEnding) throw sluiceError('shutting_down', {});
      const other = active.get(environment);
      if (other !== undefined) throw sluiceError('run_in_progress', { environment, run: other.id });
      const run: ActiveRun = { id: newId('run', random), abort: new AbortController(), done: Promise.resolve() };
      active.set(environment, run);
      performing.set(run.id, run);
      try {
        return shown(await begin(plan, run, order));
      } catch (thrown) {
        release(environment, run);
        performing.delete(run.id);
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
      performing.get(id)?.abort.abort(new Error('the run was cancelled'));
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
        await finish(interruptRun(last.run, timestamp(clock.now()), last.told), last.told !== undefined);
      }
      const old = runs.slice(kept);
      if (old.length > 0) await store.transact(old.map(({ id }) => ({ operation: 'delete', collection, key: id })));
    },

    cancelAll: async () => {
      isEnding = true;
      const running = [...performing.values()];
      for (const { abort } of running) abort.abort(new Error('the control plane is ending'));
      await Promise.all(running.map(({ done }) => done));
    },
  };
}

function saving(run: StoredRun): Write {
  return { operation: 'put', collection, key: run.id, value: run as unknown as Json };
}

function auditedBegin(run: StoredRun, plan: Plan, actor: RunOrder['actor']): AuditEntry {
  return { ...auditedRun(run), actor: auditActor(actor), phase: 'begun', planDigest: digestJson(plan as unknown as Json) };
}

function auditedEnd(run: StoredRun): AuditEntry {
  const outcome = run.status === 'running' ? 'failed' : run.status;
  const error = run.error?.code ?? run.changes.find(({ status }) => status === 'failed')?.error?.code;
  const of = run.audit === undefined ? {} : { of: run.audit };
  return { ...auditedRun(run), actor: { name: run.by ?? '' }, phase: 'ended', outcome, ...of, ...(error !== undefined && { error }) };
}

function auditedRun({ id, plan, environment, mode, reason }: StoredRun): Omit<AuditEntry, 'actor' | 'phase'> {
  return { action: `plan.${mode}`, environment, run: id, plan, ...(reason !== undefined && { reason }) };
}

const shownRun = runSchema.unwrap();

function shown(stored: StoredRun): Run {
  return shownRun.parse(stored);
}
