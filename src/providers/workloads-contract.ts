import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceExit, InstanceSpec, Workloads } from './workloads.ts';

/** `serve` becomes ready, `exit` ends by itself at once, `deaf` serves and ignores SIGTERM. */
type Behaviour = 'serve' | 'exit' | 'deaf';

export interface WorkloadsUnderTest {
  readonly workloads: Workloads;
  spec(id: string, behaviour: Behaviour): InstanceSpec;
  /** Waits until the condition holds; lets the adapter's own time pass. */
  until(what: string, condition: () => Promise<boolean>): Promise<void>;
  /** Waits for a promise of the adapter; lets the adapter's own time pass. */
  settle<Value>(promise: Promise<Value>): Promise<Value>;
  dispose(): Promise<void>;
}

/** What everything that runs instances must do. */
export function describeWorkloadsContract(name: string, setup: () => Promise<WorkloadsUnderTest>): void {
  describe(`${name} keeps the contract of workloads`, () => {
    let subject: WorkloadsUnderTest;
    const http = { type: 'http', path: '/', timeoutMs: 2_000 } as const;
    const isReady = async (id: string): Promise<boolean> => (await subject.workloads.probe(id, http)).ready;
    const statusOf = async (id: string): Promise<string> => (await subject.workloads.inspect(id)).status;

    beforeAll(async () => {
      subject = await setup();
    });
    afterEach(async () => {
      for (const { id } of await subject.workloads.list()) {
        await subject.settle(subject.workloads.stop(id, 0));
        await subject.workloads.forget(id);
      }
    });
    afterAll(async () => {
      await subject.dispose();
    });

    it('starts an instance once, however often it is asked, and finds it running and in its list', async () => {
      const { workloads } = subject;
      const spec = subject.spec('once', 'serve');
      const [first, second] = await Promise.all([workloads.start(spec), workloads.start(spec)]);
      expect([second, await workloads.start(spec)]).toEqual([first, first]);
      expect(first).toMatchObject({ id: 'once', service: spec.service, release: spec.release });
      expect(await workloads.inspect('once')).toEqual({ status: 'running', instance: first });
      expect(await workloads.list()).toEqual([first]);
    });

    it('becomes ready, stops when it is told to without telling its listeners, and is forgotten', async () => {
      const { workloads } = subject;
      const told: string[] = [];
      const unsubscribe = workloads.onExit((id) => told.push(id));
      await workloads.start(subject.spec('gentle', 'serve'));
      await subject.until('it is ready', () => isReady('gentle'));
      await subject.settle(workloads.stop('gentle', 5_000));
      expect(await statusOf('gentle')).toBe('exited');
      expect(await workloads.probe('gentle', http)).toMatchObject({ ready: false });
      await workloads.forget('gentle');
      expect([await statusOf('gentle'), await workloads.list(), told]).toEqual(['gone', [], []]);
      unsubscribe();
    });

    it('ends by force what does not stop before the deadline', async () => {
      await subject.workloads.start(subject.spec('stubborn', 'deaf'));
      await subject.until('it is ready', () => isReady('stubborn'));
      await subject.settle(subject.workloads.stop('stubborn', 100));
      expect(await statusOf('stubborn')).toBe('exited');
    });

    it('tells once of an instance that ends by itself, and starts it again under the same id', async () => {
      const { workloads } = subject;
      const told: [string, InstanceExit][] = [];
      const unsubscribe = workloads.onExit((id, exit) => told.push([id, exit]));
      const first = await workloads.start(subject.spec('short', 'exit'));
      await subject.until('its end is told', async () => told.length > 0);
      expect(told).toEqual([['short', expect.objectContaining({ code: 3, signal: null })]]);
      expect(await workloads.inspect('short')).toMatchObject({ status: 'exited', exit: { code: 3 } });
      const second = await workloads.start(subject.spec('short', 'serve'));
      expect(second.pid).not.toBe(first.pid);
      await subject.until('it is ready', () => isReady('short'));
      expect(told).toHaveLength(1);
      unsubscribe();
    });

    it('takes stopping and forgetting what it does not know as done', async () => {
      await subject.workloads.stop('unknown', 100);
      await subject.workloads.forget('unknown');
      expect(await statusOf('unknown')).toBe('gone');
    });
  });
}
