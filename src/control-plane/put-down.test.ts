import { describe, expect, it } from 'vitest';
import type { InstanceStatus, RunningInstance } from '../providers/workloads.ts';
import { createVirtualClock } from '../rollout/simulation/virtual-clock.ts';
import type { Document } from '../store/store.ts';
import { type EndingParts, type PutDown, putDown } from './put-down.ts';

const hangs = new Promise<never>(() => {});
const nothing = Promise.resolve();

function whenAborted(signal?: AbortSignal): Promise<readonly ['test/service/web']> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(['test/service/web'])));
}

/** Parts that end well, some of them replaced. */
function partsWith(replaced: Partial<EndingParts>, calls: string[] = [], instances: readonly string[] = []): EndingParts {
  const running = new Set(instances);
  const statusOf = (id: string): InstanceStatus =>
    running.has(id) ? { status: 'running', instance: { id } as RunningInstance } : { status: 'gone' };
  const called = (name: string): Promise<void> => {
    calls.push(name);
    return nothing;
  };
  return {
    runs: { cancelAll: () => called('cancel runs') },
    databases: { cancelAll: () => called('cancel work') },
    engine: { suspendAll: () => called('suspend').then(() => []) },
    controller: { stop: () => called('stop controller'), stopTimeMs: () => Promise.resolve(40_000) },
    gateway: { stop: () => called('stop gateway'), leave: () => calls.push('leave gateway') },
    workloads: {
      list: () => Promise.resolve(instances.map((id) => ({ id }) as RunningInstance)),
      inspect: (id) => Promise.resolve(statusOf(id)),
      stop: (id) => {
        running.delete(id);
        return called(`end ${id}`);
      },
    },
    store: { list: () => Promise.resolve([]) },
    ...replaced,
  };
}

async function putDownWithin(limitMs: number, parts: EndingParts, takingUp: Promise<void> = nothing): Promise<PutDown & { said: string }> {
  const clock = createVirtualClock();
  const said: string[] = [];
  const log = { warn: (_: object, text: string) => said.push(text), error: (_: object, text: string) => said.push(text) };
  let result: PutDown | undefined;
  void putDown(parts, { workloads: 'stop', takingUp, clock, log: log as unknown as Parameters<typeof putDown>[1]['log'] }).then(
    (down) => (result = down),
  );
  await clock.advance(limitMs);
  if (result === undefined) throw new Error(`it did not end: ${said.join(', ')}`);
  return { ...result, said: said.join(', ') };
}

describe('putting everything down', () => {
  it('ends the users before what they use, and nothing is left', async () => {
    const calls: string[] = [];
    expect(await putDownWithin(0, partsWith({}, calls))).toEqual({ forced: [], nothingRuns: true, said: '' });
    expect(calls).toEqual(['cancel runs', 'cancel work', 'suspend', 'stop controller', 'stop gateway']);
  });

  it('ends although everything hangs, and says what it no longer waited for', async () => {
    const parts = partsWith({
      runs: { cancelAll: () => hangs },
      engine: { suspendAll: () => hangs },
      controller: { stop: () => hangs, stopTimeMs: () => Promise.resolve(40_000) },
      gateway: { stop: () => hangs, leave: () => undefined },
    });
    const { nothingRuns, said } = await putDownWithin(200_000, parts, hangs);
    expect(nothingRuns).toBe(false);
    expect(said).toMatch(/cancelling the runs took.*taking up took.*suspending took.*controller took.*gateway took/);
  });

  it('ends by force the instances that nobody could stop, and names them', async () => {
    const calls: string[] = [];
    const failing = { suspendAll: () => Promise.resolve(['test/service/web'] as const) };
    const parts = partsWith({ engine: failing }, calls, ['web-1', 'web-2']);
    expect(await putDownWithin(0, parts)).toMatchObject({ forced: ['web-1', 'web-2'], nothingRuns: true });
    expect(calls).toEqual(['cancel runs', 'cancel work', 'stop controller', 'end web-1', 'end web-2', 'stop gateway']);
  });

  it('tells the waits to end once suspending takes too long', async () => {
    expect(await putDownWithin(100_000, partsWith({ engine: { suspendAll: whenAborted } }))).toMatchObject({ nothingRuns: true });
  });

  it('does not call it nothing when a server may be left', async () => {
    const failed = { suspendAll: () => Promise.resolve(['test/database/db'] as const) };
    expect(await putDownWithin(0, partsWith({ engine: failed }))).toMatchObject({ nothingRuns: false });
    const unfinished: Document = { key: 'test/database/db', value: { id: '' }, version: 1 };
    expect(await putDownWithin(0, partsWith({ store: { list: () => Promise.resolve([unfinished]) } }))).toMatchObject({
      nothingRuns: false,
    });
  });
});
