import { timestamp, type Clock } from '../../effects/clock.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { InstanceExit, InstanceSpec, ProbeResult, RunningInstance, Workloads } from '../../providers/workloads.ts';

/** How an instance behaves once it is started; times in milliseconds. */
export interface Behaviour {
  /** Absent: it never gets ready. */
  readonly readyAfter?: number;
  /** It ends by itself with exit code 3. */
  readonly exitsAfter?: number;
  /** From SIGTERM to its end; absent: only force ends it. */
  readonly stopsAfter?: number;
  /** It cannot be started at all. */
  readonly unstartable?: boolean;
  /** It answers its health check and nothing else. */
  readonly unsound?: boolean;
}

export interface MemoryWorkloads extends Workloads {
  /** The process ends as if killed from outside. False when it does not run. */
  crash(id: string): boolean;
  isReady(id: string): boolean;
}

/** Asked for by smoke checks in the modelled world. */
export const smokePath = '/smoke';

interface Process {
  readonly instance: RunningInstance;
  readonly startedAt: number;
  readonly behaviour: Behaviour;
  exit: InstanceExit | undefined;
  stopping: boolean;
}

/** Instances that exist only in memory, in the clock's time; for simulations. Held to the contract of real ones. */
export function createMemoryWorkloads({
  clock,
  behaviourOf,
}: {
  clock: Clock;
  behaviourOf: (spec: InstanceSpec) => Behaviour;
}): MemoryWorkloads {
  const processes = new Map<string, Process>();
  const listeners = new Set<(id: string, exit: InstanceExit) => void>();
  let nextPid = 1_000;

  function end(process: Process, how: { code: number | null; signal: string | null }): void {
    if (process.exit) return;
    process.exit = { ...how, at: timestamp(clock.now()) };
    if (!process.stopping) for (const listener of listeners) listener(process.instance.id, process.exit);
  }

  function endLater(process: Process, after: number | undefined, how: { code: number | null; signal: string | null }): void {
    if (after !== undefined) void clock.sleep(after).then(() => end(process, how));
  }

  function isReady(id: string): boolean {
    const process = processes.get(id);
    const { readyAfter } = process?.behaviour ?? {};
    return process !== undefined && !process.exit && readyAfter !== undefined && clock.now() - process.startedAt >= readyAfter;
  }

  return {
    isReady,
    crash(id) {
      const process = processes.get(id);
      if (!process || process.exit) return false;
      end(process, { code: null, signal: 'SIGKILL' });
      return true;
    },

    async start(spec) {
      const present = processes.get(spec.id);
      if (present && !present.exit) return present.instance;
      const behaviour = behaviourOf(spec);
      const [program = ''] = spec.command;
      if (behaviour.unstartable) throw sluiceError('instance_start_failed', { instance: spec.id, program, reason: 'no such program' });
      nextPid += 1;
      const { id, service, release } = spec;
      const place = { host: '127.0.0.1', port: 20_000 + (nextPid % 40_000), pid: nextPid, startTime: String(nextPid) };
      const instance = { id, service, release, ...place, startedAt: timestamp(clock.now()), logFile: `/nowhere/${id}.log` };
      const process: Process = { instance, startedAt: clock.now(), behaviour, exit: undefined, stopping: false };
      processes.set(id, process);
      endLater(process, behaviour.exitsAfter, { code: 3, signal: null });
      return instance;
    },

    async stop(id, deadlineMs) {
      const process = processes.get(id);
      if (!process || process.exit) return;
      process.stopping = true;
      const { stopsAfter = Number.POSITIVE_INFINITY } = process.behaviour;
      await clock.sleep(Math.min(stopsAfter, deadlineMs));
      end(process, { code: null, signal: stopsAfter <= deadlineMs ? 'SIGTERM' : 'SIGKILL' });
    },

    async inspect(id) {
      const process = processes.get(id);
      if (!process) return { status: 'gone' };
      return process.exit ? { status: 'exited', exit: process.exit } : { status: 'running', instance: process.instance };
    },

    list: async () => [...processes.values()].map(({ instance }) => instance),
    probe: async (id, check): Promise<ProbeResult> => {
      if (!isReady(id)) return { ready: false, reason: 'it does not answer yet' };
      const isSmoke = check.type === 'http' && check.path === smokePath;
      return isSmoke && processes.get(id)?.behaviour.unsound === true ? { ready: false, reason: 'answered 500' } : { ready: true };
    },

    onExit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async forget(id) {
      processes.delete(id);
    },
  };
}
