import { timestamp, type Clock } from '../../effects/clock.ts';
import { isAlive } from '../../effects/processes.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import type { InstanceExit, InstanceStatus } from '../workloads.ts';
import { type ContainerRecord, runningOf } from './container-record.ts';
import type { Containers, SeenContainer } from './containers.ts';

type ExitListener = (id: string, exit: InstanceExit) => void;

export interface ContainerWatch {
  /** From now on the end of this instance is wanted: listeners are not told. */
  expect(id: string): void;
  /** From now on its end is told again: it is another container, or it could not be stopped. */
  begin(id: string): void;
  /** What is true of the instance now. */
  statusOf(id: string): Promise<InstanceStatus>;
  listen(listener: ExitListener): () => void;
}

const pollIntervalMs = 100;
/** Containers whose process this user cannot see are asked for instead. */
const askEvery = 10;
/** How long the engine may take to notice what has ended before its eyes. */
const noticeMs = 5_000;
const inspectMs = 5_000;

/**
 * Notices how containers end. Whether one runs is seen by its first process, which this machine knows as well as the engine does: that
 * holds while the engine is away, is restarted, or kills what ran. How it has ended only the engine can tell. `onEnd` is called once for
 * an end, before the listeners are.
 */
export function createContainerWatch(dependencies: {
  readonly clock: Clock;
  readonly containers: Containers;
  readonly known: Map<string, ContainerRecord>;
  readonly save: (record: ContainerRecord) => Promise<void>;
  readonly onEnd: (record: ContainerRecord) => Promise<void>;
  /** Called when the first listener comes and when the last one goes. */
  readonly attended: (isAttended: boolean) => void;
}): ContainerWatch {
  const { clock, containers, known, save, onEnd, attended } = dependencies;
  const listeners = new Set<ExitListener>();
  const expected = new Set<string>();
  const looking = new Map<string, Promise<void>>();
  let polling: AbortController | undefined;

  /** Once at a time for an instance. */
  function look(id: string): Promise<void> {
    const begun = looking.get(id) ?? lookOnce(id).finally(() => looking.delete(id));
    looking.set(id, begun);
    return begun;
  }

  async function lookOnce(id: string): Promise<void> {
    const record = known.get(id);
    if (record?.container === undefined || record.exit) return;
    const seen = await settled(record);
    if (seen === 'unknown') return;
    const current = known.get(id);
    if (!current || current.container !== record.container || current.exit) return;
    if (seen?.state === 'running') {
      if (seen.process === undefined || seen.process.pid === current.process?.pid) return;
      // Somebody has started it anew: it is the same container, at the same port.
      known.set(id, { ...current, process: seen.process });
      await save({ ...current, process: seen.process }).catch(() => undefined);
      return;
    }
    const exit: InstanceExit = {
      code: seen?.state === 'ended' ? seen.code : null,
      signal: null,
      at: timestamp(clock.now()),
      ...(seen?.outOfMemory && { outOfMemory: true }),
    };
    const ended = { ...current, exit };
    known.set(id, ended);
    const wanted = expected.delete(id);
    // A record that cannot be written now is written by the next control plane, which sees for itself.
    await onEnd(ended).catch(() => undefined);
    if (!wanted) for (const listener of listeners) listener(id, exit);
  }

  /** The container once the engine has noticed too; undefined when it is gone, or the engine is away and the process has ended. */
  async function settled({ container = '', process }: ContainerRecord): Promise<SeenContainer | 'unknown' | undefined> {
    const deadline = clock.monotonic() + noticeMs;
    for (;;) {
      const seen = await containers.inspect(container, { timeoutMs: inspectMs }).catch((error: unknown) => {
        if (toSluiceError(error).code === 'engine_unreachable' && process && !isAlive(process)) return undefined;
        return 'unknown' as const;
      });
      if (seen === 'unknown' || seen?.state !== 'running' || !process || isAlive(seen.process ?? process)) return seen;
      if (clock.monotonic() >= deadline) return undefined;
      await clock.sleep(10);
    }
  }

  async function poll(signal: AbortSignal): Promise<void> {
    for (let round = 0; !signal.aborted; round += 1) {
      for (const { id, process, exit, container } of known.values()) {
        if (exit || container === undefined) continue;
        if (process ? !isAlive(process) : round % askEvery === 0) void look(id);
      }
      await clock.sleep(pollIntervalMs, signal).catch(() => undefined);
    }
  }

  return {
    expect: (id) => void expected.add(id),
    begin: (id) => void expected.delete(id),

    async statusOf(id) {
      const before = known.get(id);
      if (before && !before.exit && !(before.process && isAlive(before.process))) await look(id);
      const record = known.get(id);
      if (record?.container === undefined) return { status: 'gone' };
      return record.exit ? { status: 'exited', exit: record.exit } : { status: 'running', instance: runningOf(record) };
    },

    listen(listener) {
      listeners.add(listener);
      if (!polling) {
        polling = new AbortController();
        attended(true);
        void poll(polling.signal);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        polling?.abort();
        polling = undefined;
        attended(false);
      };
    },
  };
}
