import { timestamp, type Clock } from '../../../effects/clock.ts';
import { identify, isAlive } from '../../../effects/processes.ts';
import type { InstanceExit, InstanceStatus } from '../../workloads.ts';
import type { InstanceRecord } from './instance-record.ts';

const pollIntervalMs = 250;

type ExitListener = (id: string, exit: InstanceExit) => void;
type Ended = { readonly code: number | null; readonly signal: string | null };

export interface ExitWatch {
  /** Follows a process this control plane is the parent of: its exit code is known, and known at once. */
  ofChild(record: InstanceRecord, exit: Promise<Ended>): void;
  /** From now on the end of this instance is wanted: listeners are not told. */
  expect(id: string): void;
  /** What is true of the instance now. */
  statusOf(id: string): Promise<InstanceStatus>;
  /** Adopted instances are polled for as long as anyone listens. */
  listen(listener: ExitListener): () => void;
}

/**
 * Notices how instances end: at once as their parent, by polling pid and start time for those adopted from an earlier control plane.
 * `onEnd` records an end; it is called once per end, before the listeners are.
 */
export function createExitWatch(dependencies: {
  readonly clock: Clock;
  readonly known: ReadonlyMap<string, InstanceRecord>;
  readonly onEnd: (record: InstanceRecord) => Promise<void>;
}): ExitWatch {
  const { clock, known, onEnd } = dependencies;
  const listeners = new Set<ExitListener>();
  const children = new Map<string, { readonly process: InstanceRecord['process']; readonly end: Promise<void> }>();
  const expected = new Set<string>();
  let polling: AbortController | undefined;

  function ended(record: InstanceRecord, { code, signal }: Ended): void {
    if (record.exit) return;
    const exit: InstanceExit = { code, signal, at: timestamp(clock.now()) };
    const wanted = expected.delete(record.id);
    // A record that cannot be written now is written by the next control plane, which sees the dead process itself.
    onEnd({ ...record, exit }).catch(() => undefined);
    if (!wanted) for (const listener of listeners) listener(record.id, exit);
  }

  function isOurs(record: InstanceRecord): boolean {
    return record.process !== undefined && children.get(record.id)?.process?.pid === record.process.pid;
  }

  async function poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const record of known.values()) {
        if (record.exit || !record.process || isOurs(record)) continue;
        if (!isAlive(record.process)) ended(record, { code: null, signal: null });
      }
      await clock.sleep(pollIntervalMs, signal).catch(() => undefined);
    }
  }

  return {
    ofChild(record, exit) {
      expected.delete(record.id);
      const end = exit.then((how) => {
        if (children.get(record.id)?.end === end) children.delete(record.id);
        const current = known.get(record.id);
        if (current?.process?.pid === record.process?.pid && current) ended(current, how);
      });
      children.set(record.id, { process: record.process, end });
    },

    expect(id) {
      expected.add(id);
    },

    async statusOf(id) {
      const seen = known.get(id);
      // The parent is told how it ended a moment after it ended.
      if (seen?.process && isOurs(seen) && !isAlive(seen.process)) await children.get(id)?.end;
      const record = known.get(id);
      if (!record) return { status: 'gone' };
      if (record.exit) return { status: 'exited', exit: record.exit };
      if (!record.process) return { status: 'gone' };
      if (isAlive(record.process)) {
        const { service, release, host, port, startedAt, logFile } = record;
        return { status: 'running', instance: { id, service, release, host, port, startedAt, logFile, ...record.process } };
      }
      if (identify(record.process.pid) !== undefined) return { status: 'gone' };
      return { status: 'exited', exit: { code: null, signal: null, at: timestamp(clock.now()) } };
    },

    listen(listener) {
      listeners.add(listener);
      if (!polling) {
        polling = new AbortController();
        void poll(polling.signal);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        polling?.abort();
        polling = undefined;
      };
    },
  };
}
