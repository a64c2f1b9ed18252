import { timestamp } from '../effects/clock.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { type Change, summarize } from '../plan/plan.ts';
import type { Address } from '../stack/stack.ts';
import type { NewEvent } from '../telemetry/events.ts';
import { dependencyValues } from './dependency-values.ts';
import { performMoves } from './moves.ts';
import { perform } from './perform.ts';
import { type RunContext, stateOf } from './run-context.ts';
import { type ChangeResult, type ReportedError, reportError, type RunReport } from './run-report.ts';
import { changeEvent, type Effective, tellChange } from './telling.ts';
import { type Exclusively, seeThrough } from './unfinished.ts';
import { walk } from './walk.ts';

/** A run whose changes are made, as far as they could be; `context.unfinished` holds those whose consequences go on. */
export interface Walked {
  readonly context: RunContext;
  readonly started: { readonly at: string; readonly monotonic: number };
  readonly results: readonly ChangeResult[];
  readonly cancelled: boolean;
}

/** Walks the changes of a verified plan, reporting each as events. Rejects only when the store fails or the lease is lost. */
export async function walkPlan(context: RunContext, concurrency: number): Promise<Walked> {
  const { plan, clock } = context;
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
    const action = effectiveAction(context, change, updated);
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
  await toldIfStopped(context, async () => {
    await performMoves(context);
    await walk(steps, concurrency, visit);
  });
  return { context, started, results, cancelled };
}

/** The walked run once all its consequences are known. They are followed at the same time, and the environment is free meanwhile. */
export async function seeAllThrough(walked: Walked, exclusively: Exclusively): Promise<Walked> {
  const { context, results } = walked;
  const ends = new Map<Address, ReportedError | undefined>();
  await toldIfStopped(context, async () => {
    const all = Array.from(context.unfinished, async ([address, unfinished]) => {
      const { telling } = unfinished;
      try {
        await seeThrough(context, address, unfinished, exclusively);
        ends.set(address, undefined);
        for (const event of await telling.finished()) await context.events.publish(event);
      } catch (thrown) {
        const error = context.secrets.scrubError(thrown);
        if (endsTheRun.has(error.code)) throw error;
        ends.set(address, reportError(error));
        for (const event of await telling.failed(error)) await context.events.publish(event);
      }
    });
    await Promise.all(all);
  });
  const known = results.map((result): ChangeResult => {
    const unfinished = context.unfinished.get(result.address);
    if (!unfinished) return result;
    const error = ends.get(result.address);
    return Object.assign({}, result, { durationMs: unfinished.telling.durationMs() }, error && { status: 'failed' as const, error });
  });
  return { ...walked, results: known };
}

/** The report of a run of which nothing goes on any more. */
export async function concludeRun({ context, started, results, cancelled }: Walked): Promise<RunReport> {
  const { plan, clock, run } = context;
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

/** A run that cannot go on has ended: that is told before it is thrown. */
async function toldIfStopped(context: RunContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const error = context.secrets.scrubError(thrown);
    const told = { status: 'failed', error: { ...reportError(error) } };
    await publish(context, 'run.finished', 'error', `${context.plan.environment}: stopped, ${error.message}`, told).catch(() => undefined);
    throw error;
  }
}

/** What is only moved follows its dependencies as what is left alone does. */
function effectiveAction(context: RunContext, change: Change, updated: ReadonlySet<Address>): Effective | undefined {
  if (change.action === 'none') return followingAction(context, change, updated);
  return change.action === 'move' ? (followingAction(context, change, updated) ?? 'move') : change.action;
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
  const telling = tellChange(context, change, action);
  try {
    await perform(context, change, action, telling);
    const isOver = telling.isOver || context.unfinished.has(address);
    // What nothing was recorded for has not been told yet: a move was made before.
    if (!isOver) for (const event of await telling.finished()) await context.events.publish(event);
    return { address, kind, name, action, status: 'done', durationMs: telling.durationMs() };
  } catch (thrown) {
    const error = context.secrets.scrubError(thrown);
    // Without the store, or the right to write, nothing more may be tried: the run ends here.
    if (endsTheRun.has(error.code)) throw error;
    // What failed before anything was recorded has not been told yet.
    if (!telling.isOver) for (const event of await telling.failed(error)) await context.events.publish(event);
    return { address, kind, name, action, status: 'failed', durationMs: telling.durationMs(), error: reportError(error) };
  }
}

async function skip(context: RunContext, change: Change, action: Effective, cause: string): Promise<ChangeResult> {
  const { address, kind, name } = change;
  const error = reportError(sluiceError('change_skipped', { address, cause }));
  const data = { action, durationMs: 0, cause };
  const message = `${kind}/${name} skipped: ${cause}`;
  await context.events.publish(changeEvent(context, change, { type: 'change.skipped', level: 'warning', message, data }));
  return { address, kind, name, action, status: 'skipped', durationMs: 0, error };
}

const endsTheRun: ReadonlySet<string> = new Set([
  'store_conflict',
  'store_unavailable',
  'store_unreachable',
  'store_refused',
  'store_damaged',
  'store_closed',
  'lease_lost',
]);

async function publish(
  context: RunContext,
  type: NewEvent['type'],
  level: NewEvent['level'],
  message: string,
  data: NonNullable<NewEvent['data']>,
): Promise<void> {
  await context.events.publish({ type, level, message, environment: context.plan.environment, run: context.run, data });
}
