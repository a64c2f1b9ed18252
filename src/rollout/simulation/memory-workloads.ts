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
  /** It answers its health check and nothing else; `sometimes`: every other time that it is asked. */
  readonly unsound?: 'always' | 'sometimes';
}

export interface MemoryWorkloads extends Workloads {
  /** The process ends as if killed from outside. False when it does not run. */
  crash(id: string): boolean;
  isReady(id: string): boolean;
  /** How the smoke checks of an instance ended, in their order. */
  smokesOf(id: string): readonly boolean[];
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
  const smokes = new Map<string, boolean[]>();
  let smokeCount = 0;
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
    return process !== undefined && !process.exit && readyAfter !== undefined && clock.monotonic() - process.startedAt >= readyAfter;
  }

  return {
    isReady,
    smokesOf: (id) => smokes.get(id) ?? [],
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
      const process: Process = { instance, startedAt: clock.monotonic(), behaviour, exit: undefined, stopping: false };
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
      if (check.type !== 'http' || check.path !== smokePath) return { ready: true };
      smokeCount += 1;
      const unsound = processes.get(id)?.behaviour.unsound;
      const isSound = unsound === undefined || (unsound === 'sometimes' && smokeCount % 2 === 0);
      smokes.set(id, [...(smokes.get(id) ?? []), isSound]);
      return isSound ? { ready: true } : { ready: false, reason: 'answered 500' };
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
