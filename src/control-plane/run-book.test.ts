import { beforeEach, describe, expect, it } from 'vitest';
import { type AuditLog, createAuditLog } from '../audit/audit-log.ts';
import { digestJson } from '../digest/digest.ts';
import type { Json } from '../digest/json.ts';
import type { Run } from '../api/schemas/run.ts';
import type { RunReport } from '../engine/run-report.ts';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { sluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { Change, Plan } from '../plan/plan.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createEventLog } from '../telemetry/event-log.ts';
import type { EventLog, SluiceEvent } from '../telemetry/events.ts';
import { until } from '../testing/conditions.ts';
import type { ReloadablePlans } from './plan-book.ts';
import { createRunBook, type ControlledRuns, type PlanApplier } from './run-book.ts';

const change = (name: string, action: Change['action']): Change => ({
  address: `staging/cache/${name}`,
  kind: 'cache',
  name,
  action,
  reason: '',
  fields: [],
  risk: 'low',
  downtime: false,
  after: [],
});

const plan = (id: string, environment = 'staging'): Plan => ({
  id,
  environment,
  mode: 'apply',
  stackDigest: '',
  stateDigest: '',
  createdAt: '',
  changes: [change('one', 'create'), change('two', 'update'), change('same', 'none')],
  problems: [],
});

const order = { actor: { key: 'key-1', name: 'ann', role: 'admin' }, reason: 'because' } as const;

/** An engine that does what the test tells it to, one run at a time. */
function createScriptedEngine(events: EventLog) {
  const finish = Promise.withResolvers<RunReport['status'] | Error>();
  const begun = Promise.withResolvers<string>();
  const state = { goesOn: false };
  const engine: PlanApplier = {
    apply: async (_plan, _stack, { run, signal, onFree }) => {
      begun.resolve(run);
      if (state.goesOn) onFree?.();
      signal.addEventListener('abort', () => finish.resolve('cancelled'), { once: true });
      const end = await finish.promise;
      if (end instanceof Error) throw end;
      const status = end === 'succeeded' ? ('done' as const) : ('skipped' as const);
      const result = { kind: 'cache' as const, action: 'create' as const, durationMs: 1 };
      return {
        status: end,
        results: [
          { ...result, name: 'one', address: 'staging/cache/one', status },
          { ...result, name: 'two', address: 'staging/cache/two', status },
        ],
      };
    },
  };
  const tell = (type: SluiceEvent['type'], name: string, run: string): Promise<number> =>
    events.publish({ type, level: 'info', message: `${name} ${type}`, environment: 'staging', address: `staging/cache/${name}`, run });
  return { engine, state, finish: finish.resolve, begun: begun.promise, tell };
}

describe('the run book', () => {
  let store: ReturnType<typeof createMemoryStore>;
  let events: EventLog;
  let audit: AuditLog;
  let script: ReturnType<typeof createScriptedEngine>;
  let claimed: string[];
  let reported: SluiceError[];
  let reload: ReloadablePlans['reload'];

  const open = (): ControlledRuns => {
    const plans: ReloadablePlans = {
      create: () => Promise.reject(new Error('not asked for')),
      get: (id) => Promise.resolve(plan(id, id === 'plan-other' ? 'production' : 'staging')),
      reload: (id) => reload(id),
      createRepair: () => Promise.resolve(undefined),
      claim: (id) => {
        claimed.push(id);
        return Promise.resolve();
      },
    };
    return createRunBook({
      store,
      events,
      plans,
      engine: script.engine,
      audit,
      clock: systemClock,
      random: systemRandom,
      report: (error) => void reported.push(error),
    });
  };
  beforeEach(() => {
    store = createMemoryStore();
    events = createEventLog({ store, clock: systemClock });
    const keeper = { read: async () => undefined, write: async () => undefined };
    audit = createAuditLog({ store, vault: { fingerprint: (text) => `sha256:${text}` }, clock: systemClock, keeper });
    script = createScriptedEngine(events);
    [claimed, reported] = [[], []];
    reload = (id) => Promise.resolve({ plan: plan(id), stack: undefined });
  });

  it('answers at once, and tells each change as the engine goes on', async () => {
    const runs = open();
    const { id, changes } = await runs.start('plan-1', order);
    expect(changes.map(({ address, status }) => `${address} ${status}`)).toEqual([
      'staging/cache/one pending',
      'staging/cache/two pending',
    ]);
    await script.tell('change.started', 'one', id);
    await script.tell('change.finished', 'one', id);
    await script.tell('change.started', 'two', id);
    await script.tell('change.failed', 'two', 'run-of-somebody-else');
    expect((await runs.get(id)).changes.map(({ status }) => status)).toEqual(['done', 'running']);
    script.finish('succeeded');
    const run = await ended(runs, id);
    expect(run).toMatchObject({ status: 'succeeded', plan: 'plan-1', finishedAt: expect.any(String) });
    expect(run).not.toHaveProperty('eventsBefore');
    expect(claimed).toEqual(['plan-1']);
  });

  it('publishes its end only when the stored run tells it', async () => {
    const runs = open();
    const { id } = await runs.start('plan-1', order);
    const over = new AbortController();
    const seen = (async () => {
      for await (const event of events.follow(0, over.signal)) {
        if (event.type === 'run.finished') return (await runs.get(id)).status;
      }
      return 'never told';
    })();
    script.finish('succeeded');
    expect(await seen).toBe('succeeded');
    over.abort();
  });

  it('changes an environment by one run at a time, and leaves others free', async () => {
    const runs = open();
    const both = await Promise.allSettled([runs.start('plan-1', order), runs.start('plan-2', order)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(runs.start('plan-2', order)).rejects.toMatchObject({ code: 'run_in_progress', retry: 'wait' });
    reload = (id) => Promise.resolve({ plan: plan(id, 'production'), stack: undefined });
    await expect(runs.start('plan-other', order)).resolves.toMatchObject({ environment: 'production' });
    script.finish('succeeded');
  });

  it('leaves the environment to the next run once a run only sees to the end of what it began, and cancels both at the end', async () => {
    script.state.goesOn = true;
    const runs = open();
    const first = await runs.start('plan-1', order);
    expect((await runs.get(first.id)).status).toBe('running');
    script.state.goesOn = false;
    const second = await runs.start('plan-2', order);
    await expect(runs.start('plan-3', order)).rejects.toMatchObject({
      code: 'run_in_progress',
      message: expect.stringContaining(second.id),
    });
    await runs.cancel(first.id);
    expect((await ended(runs, first.id)).status).toBe('cancelled');
    await runs.cancelAll();
    expect((await runs.list({ limit: 9 })).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });

  it('frees the environment when a run cannot begin, and after it has ended', async () => {
    const runs = open();
    const valid = reload;
    reload = (id) => Promise.reject(sluiceError('plan_stale', { id, reason: 'r' }));
    await expect(runs.start('plan-1', order)).rejects.toMatchObject({ code: 'plan_stale' });
    expect(await runs.list({ limit: 10 })).toEqual([]);
    reload = valid;
    const { id } = await runs.start('plan-1', order);
    script.finish('succeeded');
    await ended(runs, id);
    await until('the environment to be free', () =>
      runs.start('plan-2', order).then(
        () => true,
        () => false,
      ),
    );
  });

  it('keeps the error that kept a run from beginning, but not the words of an unexpected one', async () => {
    const runs = open();
    const { id } = await runs.start('plan-1', order);
    script.finish(new Error('password canary-9'));
    const run = await ended(runs, id);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'internal_error' } });
    expect(JSON.stringify(run)).not.toContain('canary-9');
    expect(reported).toHaveLength(1);
  });

  it('is cancelled once, and stays what it is afterwards', async () => {
    const runs = open();
    const { id } = await runs.start('plan-1', order);
    await runs.cancel(id);
    const run = await ended(runs, id);
    expect(run).toMatchObject({ status: 'cancelled', changes: [{ status: 'skipped' }, { status: 'skipped' }] });
    expect(await runs.cancel(id)).toEqual(run);
    await expect(runs.cancel('run-0000')).rejects.toMatchObject({ code: 'unknown_run' });
  });

  it('that a crash has left running is told as interrupted, with what was known of each change', async () => {
    const { id } = await open().start('plan-1', order);
    await script.tell('change.started', 'one', id);
    const next = open();
    await next.settleInterrupted();
    expect(await next.get(id)).toMatchObject({
      status: 'failed',
      error: { code: 'run_interrupted', retry: 'retry' },
      changes: [{ status: 'failed' }, { status: 'skipped' }],
    });
    const told = (await events.read(0, 100)).filter(({ type }) => type === 'run.finished');
    expect(told).toMatchObject([{ run: id, level: 'error' }]);
    await next.settleInterrupted();
    expect((await events.read(0, 100)).filter(({ type }) => type === 'run.finished')).toHaveLength(1);
  });

  it('records who began it, why and by which plan, and how it ended', async () => {
    const runs = open();
    const { id, by, reason } = await runs.start('plan-1', order);
    expect([by, reason]).toEqual(['ann', 'because']);
    script.finish('succeeded');
    await ended(runs, id);
    const planDigest = digestJson(plan('plan-1') as unknown as Json);
    const begun = { action: 'plan.apply', environment: 'staging', run: id, plan: 'plan-1', reason: 'because' };
    expect(await audit.read(0, 9)).toMatchObject([
      { ...begun, phase: 'begun', actor: { name: 'ann', key: 'key-1' }, planDigest },
      { ...begun, phase: 'ended', of: 1, outcome: 'succeeded' },
    ]);
  });

  it('whose end was told before a crash could store it has ended like that', async () => {
    const { id } = await open().start('plan-1', order);
    await script.tell('change.finished', 'one', id);
    await events.publish({ type: 'run.finished', level: 'info', message: 'done', run: id, data: { status: 'succeeded' } });
    const next = open();
    await next.settleInterrupted();
    expect(await next.get(id)).toMatchObject({ status: 'succeeded' });
    expect((await audit.read(0, 9)).at(-1)).toMatchObject({ phase: 'ended', outcome: 'succeeded' });
  });

  it('waits for every run it cancels when the control plane ends', async () => {
    const runs = open();
    const { id } = await runs.start('plan-1', order);
    await script.begun;
    await runs.cancelAll();
    expect((await runs.get(id)).status).toBe('cancelled');
  });
});

function ended(runs: ControlledRuns, id: string): Promise<Run> {
  return until('the run to end', async () => {
    const run = await runs.get(id);
    return run.status === 'running' ? undefined : run;
  });
}
