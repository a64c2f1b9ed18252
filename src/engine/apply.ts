import { timestamp } from '../effects/clock.ts';
import { type SluiceError, sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import { type Action, type Change, summarize } from '../plan/plan.ts';
import type { Address } from '../stack/stack.ts';
import type { EventType } from '../telemetry/events.ts';
import { dependencyValues } from './dependency-values.ts';
import { performMoves } from './moves.ts';
import { perform } from './perform.ts';
import { type RunContext, stateOf } from './run-context.ts';
import { type ChangeResult, reportError, type RunReport } from './run-report.ts';
import { walk } from './walk.ts';

type Effective = Exclude<Action, 'none'>;

/** Walks the changes of a verified plan, reporting each as events. Rejects only when the store fails or the lease is lost. */
export async function runPlan(context: RunContext, concurrency: number): Promise<RunReport> {
  const { plan, clock, run } = context;
  const started = { at: timestamp(clock.now()), monotonic: clock.monotonic() };
  const summary = summarize(plan);
  const verb = plan.mode === 'destroy' ? 'Destroying' : 'Applying';
  await publish(context, 'run.started', 'info', `${verb} ${plan.environment}`, { plan: plan.id, mode: plan.mode, summary: { ...summary } });

  const changes = new Map(plan.changes.map((change) => [change.address, change]));
  const results: ChangeResult[] = [];
  const updated = new Set<Address>();
  let cancelled = false;

  const visit = async (address: Address, blockedBy: Address | undefined): Promise<Address | undefined> => {
    const change = changes.get(address) as Change;
    const action = change.action === 'none' ? followingAction(context, change, updated) : change.action;
    if (action === undefined) return blockedBy;
    if (blockedBy !== undefined || context.cancelled.aborted) {
      const cause = blockedBy === undefined ? 'the run was cancelled' : `${blockedBy} was not changed as planned`;
      cancelled ||= blockedBy === undefined;
      results.push(await skip(context, change, action, cause));
      return blockedBy ?? address;
    }
    const result = await apply(context, change, action);
    results.push(result);
    if (result.status === 'failed') return address;
    updated.add(address);
    return undefined;
  };
  const steps = plan.changes.map(({ address, after }) => ({ key: address, after }));
  try {
    await performMoves(context);
    await walk(steps, concurrency, visit);
  } catch (thrown) {
    const error = toSluiceError(thrown);
    const told = { status: 'failed', error: { ...reportError(error) } };
    await publish(context, 'run.finished', 'error', `${plan.environment}: stopped, ${error.message}`, told).catch(() => undefined);
    throw error;
  }

  const count = (status: ChangeResult['status']) => results.filter((result) => result.status === status).length;
  const [done, failed, skipped] = [count('done'), count('failed'), count('skipped')];
  const status = failed > 0 ? 'failed' : cancelled ? 'cancelled' : 'succeeded';
  const durationMs = Math.round(clock.monotonic() - started.monotonic);
  const message = `${plan.environment}: ${status}, ${done} changed, ${failed} failed, ${skipped} skipped`;
  const level = status === 'succeeded' ? 'info' : status === 'failed' ? 'error' : 'warning';
  await publish(context, 'run.finished', level, message, { status, done, failed, skipped, durationMs });
  const { environment, mode } = plan;
  return { run, environment, mode, status, startedAt: started.at, finishedAt: timestamp(clock.now()), durationMs, results };
}

/** A resource without changes of its own is updated when something updated in this run now gives other values than it was applied with. */
function followingAction(context: RunContext, { address, outOfScope }: Change, updated: ReadonlySet<Address>): 'update' | undefined {
  if (outOfScope === true) return undefined;
  const block = context.blocks.get(address);
  const state = stateOf(context, address);
  if (block === undefined || state === undefined || !block.references.some((reference) => updated.has(reference.address))) return undefined;
  const values = dependencyValues(block, (other) => stateOf(context, other), context.vault);
  return values.some(({ key, digest }) => digest !== undefined && state.resolved[key] !== digest) ? 'update' : undefined;
}

async function apply(context: RunContext, change: Change, action: Effective): Promise<ChangeResult> {
  const { address, kind, name } = change;
  const begun = context.clock.monotonic();
  await publishChange(context, 'change.started', 'info', change, `${progressive[action]} ${kind}/${name}`, { action });
  // Progress is reported without waiting, yet each line is in the log before the change counts as finished.
  let reported: Promise<unknown> = Promise.resolve();
  const report = (message: string): void => {
    reported = reported.then(() => publishChange(context, 'change.progressed', 'info', change, message, { action })).catch(() => undefined);
  };
  let error: SluiceError | undefined;
  try {
    await perform(context, change, action, report);
  } catch (thrown) {
    error = toSluiceError(thrown);
    // Without the store, or the right to write, nothing more may be tried: the run ends here.
    if (endsTheRun.has(error.code)) throw error;
  }
  await reported;
  const durationMs = Math.round(context.clock.monotonic() - begun);
  if (error === undefined) {
    await publishChange(context, 'change.finished', 'info', change, `${kind}/${name} ${past[action]}`, { action, durationMs });
    return { address, kind, name, action, status: 'done', durationMs };
  }
  const told = reportError(error);
  await publishChange(context, 'change.failed', 'error', change, `${kind}/${name}: ${error.message}`, {
    action,
    durationMs,
    error: { ...told },
  });
  return { address, kind, name, action, status: 'failed', durationMs, error: told };
}

async function skip(context: RunContext, change: Change, action: Effective, cause: string): Promise<ChangeResult> {
  const { address, kind, name } = change;
  const error = reportError(sluiceError('change_skipped', { address, cause }));
  await publishChange(context, 'change.skipped', 'warning', change, `${kind}/${name} skipped: ${cause}`, { action, durationMs: 0, cause });
  return { address, kind, name, action, status: 'skipped', durationMs: 0, error };
}

const progressive: Readonly<Record<Effective, string>> = {
  create: 'creating',
  adopt: 'adopting',
  move: 'moving',
  refresh: 'recording what was found of',
  update: 'updating',
  replace: 'replacing',
  delete: 'deleting',
};
const past: Readonly<Record<Effective, string>> = {
  create: 'created',
  adopt: 'adopted',
  update: 'updated',
  move: 'moved',
  replace: 'replaced',
  delete: 'deleted',
  refresh: 'recorded as found',
};
const endsTheRun: ReadonlySet<string> = new Set(['store_conflict', 'store_unavailable', 'store_damaged', 'store_closed', 'lease_lost']);

type EventData = Parameters<RunContext['events']['publish']>[0]['data'];

async function publish(
  context: RunContext,
  type: EventType,
  level: 'info' | 'warning' | 'error',
  message: string,
  data: EventData,
  address?: Address,
): Promise<void> {
  const { environment } = context.plan;
  await context.events.publish({
    type,
    level,
    message,
    environment,
    run: context.run,
    ...(address && { address }),
    ...(data !== undefined && { data }),
  });
}

function publishChange(
  context: RunContext,
  type: EventType,
  level: 'info' | 'warning' | 'error',
  { address, kind }: Change,
  message: string,
  data: { readonly [key: string]: NonNullable<EventData> },
): Promise<void> {
  return publish(context, type, level, message, { kind, ...data }, address);
}
