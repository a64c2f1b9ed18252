import { describeError } from '../api/error-answer.ts';
import type { Run, RunChange } from '../api/schemas/run.ts';
import type { ReportedError, RunReport } from '../engine/run-report.ts';
import { catalogue } from '../errors/catalogue.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { SluiceEvent } from '../telemetry/events.ts';

/** A run as it is stored: with the place in the event log from which its events are to be read. */
export interface StoredRun extends Run {
  readonly eventsBefore: number;
  /** The record of its beginning in the audit log. */
  readonly audit?: number | undefined;
}

/** How a run ended, by the event of its end. */
export type RunEnd = Exclude<Run['status'], 'running'>;

export function endOf({ data }: SluiceEvent): RunEnd {
  const { status } = (data ?? {}) as { status?: RunEnd };
  return status === 'succeeded' || status === 'cancelled' ? status : 'failed';
}

export function beginRun(plan: Plan, begun: Pick<StoredRun, 'id' | 'startedAt' | 'eventsBefore' | 'by' | 'reason'>): StoredRun {
  return {
    ...begun,
    plan: plan.id,
    environment: plan.environment,
    mode: plan.mode,
    status: 'running',
    changes: plan.changes.flatMap(({ address, action }) => (action === 'none' ? [] : [{ address, action, status: 'pending' as const }])),
  };
}

/** The run after one more event. Events of other runs change nothing, and neither does one that is seen twice. */
export function foldEvent(run: StoredRun, event: SluiceEvent): StoredRun {
  if (event.run !== run.id || event.address === undefined) return run;
  const status = statusAfter[event.type];
  if (status === undefined) return run;
  const changed = run.changes.findIndex((change) => change.address === event.address);
  const before = run.changes[changed];
  if (before === undefined) return run;
  const after: RunChange = { ...before, status, ...(status === 'failed' && { error: errorOf(event) }) };
  return { ...run, changes: run.changes.with(changed, after) };
}

const statusAfter: Partial<Record<SluiceEvent['type'], RunChange['status']>> = {
  'change.started': 'running',
  'change.finished': 'done',
  'change.failed': 'failed',
  'change.skipped': 'skipped',
};

/** What the engine has to say at the end. */
export type RunOutcome = Pick<RunReport, 'status' | 'results'>;

/** A run that has ended by itself: by the engine's report, or by the error that kept it from beginning. */
export function concludeRun(run: StoredRun, outcome: RunOutcome | SluiceError, finishedAt: string): StoredRun {
  const changes = run.changes.map(skipPending);
  if (outcome instanceof SluiceError) return { ...run, status: 'failed', finishedAt, error: describeError(outcome), changes };
  const byAddress = new Map(changes.map((change) => [change.address, change]));
  for (const { address, action, status, error } of outcome.results) {
    const planned = byAddress.get(address)?.action ?? action;
    if (planned === 'none') continue;
    byAddress.set(address, { address, action: planned, status, ...(error && { error: { ...error, retry: catalogue[error.code].retry } }) });
  }
  return { ...run, status: outcome.status, finishedAt, changes: [...byAddress.values()] };
}

function skipPending(change: RunChange): RunChange {
  return change.status === 'pending' || change.status === 'running' ? { ...change, status: 'skipped' } : change;
}

/**
 * A run whose control plane ended under it: what was not finished is not known to have happened. One whose end had been told, `told`, has
 * ended like that.
 */
export function interruptRun(run: StoredRun, finishedAt: string, told: RunEnd | undefined): StoredRun {
  if (told !== undefined) return { ...run, status: told, finishedAt, changes: run.changes.map(skipPending) };
  const error = describeError(sluiceError('run_interrupted', {}));
  return {
    ...run,
    status: 'failed',
    finishedAt,
    error,
    changes: run.changes.map((change) => {
      if (change.status === 'running') return { ...change, status: 'failed' as const, error };
      return change.status === 'pending' ? { ...change, status: 'skipped' as const } : change;
    }),
  };
}

function errorOf({ data, message }: SluiceEvent): NonNullable<RunChange['error']> {
  const error = (data as { error?: Partial<ReportedError> } | undefined)?.error;
  const code = error?.code !== undefined && Object.hasOwn(catalogue, error.code) ? error.code : 'internal_error';
  return { code, message: error?.message ?? message, help: error?.help ?? '', retry: catalogue[code].retry };
}
