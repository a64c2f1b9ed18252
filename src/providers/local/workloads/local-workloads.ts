import { mkdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { timestamp, type Clock } from '../../../effects/clock.ts';
import { freePort } from '../../../effects/ports.ts';
import { identify, startDetached, type ProcessIdentity, type StartedProcess } from '../../../effects/processes.ts';
import type { Random } from '../../../effects/random.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import type { InstanceSpec, InstanceStatus, RunningInstance, Workloads } from '../../workloads.ts';
import { createExitWatch } from './exit-watch.ts';
import { joinCgroups, leaveCgroups, machineCgroups } from './instance-cgroups.ts';
import { instanceEnvironment, instancePath } from './instance-environment.ts';
import { logFilesOf } from './instance-logs.ts';
import { createInstanceRecords, type InstanceRecord } from './instance-record.ts';
import { endGroup, findInstanceProcesses, killGroup, killStrays } from './process-group.ts';
import { probe } from './probe.ts';

export interface LocalWorkloadsDependencies {
  /** SLUICE_HOME: records go to `instances/`, logs to `logs/<service>/<instance>.log`. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Instances as detached processes of this machine. One control plane at a time owns the folder. */
export function createLocalWorkloads({ home, clock, random }: LocalWorkloadsDependencies): Workloads {
  const files = createInstanceRecords(home);
  const known = new Map<string, InstanceRecord>();
  const starting = new Map<string, Promise<RunningInstance>>();
  const exits = createExitWatch({ clock, known, onEnd: settleEnd });
  let loaded: Promise<void> | undefined;

  async function settleEnd(record: InstanceRecord): Promise<void> {
    known.set(record.id, record);
    if (record.process) killGroup(record.process);
    await leaveCgroups(record.cgroups);
    // Forgotten or started again meanwhile: a late record must not come back.
    if (known.get(record.id) === record) await files.save(record);
  }

  function load(): Promise<void> {
    loaded ??= (async () => {
      const { records, damaged } = await files.load();
      const lost = records.filter((record) => !record.process && !record.exit).map(({ id }) => id);
      const found = await findInstanceProcesses([...lost, ...damaged]);
      for (const id of damaged) {
        // Whose instance it is and where it listens is lost: it is ended, and its service starts another.
        const process = found.get(id);
        if (process) killGroup(process);
        await files.remove(id);
      }
      for (const record of records) {
        const process = record.process ?? found.get(record.id);
        known.set(record.id, process ? { ...record, process } : record);
        if (process && !record.exit && identify(process.pid) === undefined) await settleUnseenEnd({ ...record, process });
      }
    })();
    return loaded;
  }

  async function settleUnseenEnd(record: InstanceRecord & { readonly process: ProcessIdentity }): Promise<void> {
    await killStrays(record.process, record.id);
    await leaveCgroups(record.cgroups);
    const ended = { ...record, exit: { code: null, signal: null, at: timestamp(clock.now()) } };
    known.set(record.id, ended);
    await files.save(ended);
  }

  async function launch(spec: InstanceSpec): Promise<RunningInstance> {
    const [program, ...parameters] = spec.command;
    if (program === undefined)
      throw sluiceError('instance_start_failed', { instance: spec.id, program: '', reason: 'its command is empty' });
    const host = hostOf(spec);
    const port = await choosePort(host);
    const logFile = join(home, 'logs', spec.service.split('/').at(-1) ?? spec.id, `${spec.id}.log`);
    const { id, service, release, directory } = spec;
    const intent: InstanceRecord = { id, service, release, directory, host, port, logFile, startedAt: timestamp(clock.now()), cgroups: [] };
    const folder = await files.folder(id);
    await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
    await files.save(intent);
    const environment = instanceEnvironment({ id, host, port, folder }, spec.environment);
    let child: StartedProcess;
    try {
      child = await startDetached({ command: [program, ...parameters], directory, environment, logFile });
    } catch (error) {
      known.delete(id);
      await files.remove(id);
      throw sluiceError('instance_start_failed', { instance: id, program, reason: startFailure(error) }, { cause: error });
    }
    const process = { pid: child.pid, startTime: child.startTime };
    const record: InstanceRecord = { ...intent, process };
    known.set(id, record);
    exits.ofChild(record, child.exit);
    const cgroups = await joinCgroups(child.pid, id, machineCgroups(spec.machine?.outputs), spec.limits);
    const current = { ...(known.get(id) ?? record), cgroups };
    known.set(id, current);
    await files.save(current);
    return running(record, process);
  }

  async function choosePort(host: string): Promise<number> {
    const taken = new Set([...known.values()].filter((record) => record.host === host && !record.exit).map(({ port }) => port));
    for (;;) {
      // Below the range systems take outgoing ports from, so that none is lost between this check and the instance's own listen().
      const port = await freePort(host, 10_240 + Math.floor(random.next() * 20_000));
      if (!taken.has(port)) return port;
    }
  }

  return {
    async start(spec) {
      await load();
      const status = await exits.statusOf(spec.id);
      if (status.status === 'running') return status.instance;
      const begun = starting.get(spec.id) ?? launch(spec).finally(() => starting.delete(spec.id));
      starting.set(spec.id, begun);
      return begun;
    },

    async stop(id, deadlineMs) {
      await load();
      const record = known.get(id);
      if (!record?.process) return;
      exits.expect(id);
      await endGroup(record.process, deadlineMs, clock);
      // Its end may have been seen, and the instance forgotten, before this wait was over.
      const last = known.get(id);
      if (!last) return;
      await settleEnd({ ...last, exit: last.exit ?? { code: null, signal: null, at: timestamp(clock.now()) } });
    },

    async inspect(id): Promise<InstanceStatus> {
      await load();
      return exits.statusOf(id);
    },

    async list() {
      await load();
      return [...known.values()].map((record) => running(record, record.process ?? { pid: 0, startTime: 'never' }));
    },

    async probe(id, check) {
      await load();
      const record = known.get(id);
      if (!record || (await exits.statusOf(id)).status !== 'running') return { ready: false, reason: 'the instance is not running' };
      const { host, port, directory } = record;
      const environment = { PATH: instancePath, HOME: await files.folder(id), HOST: host, PORT: String(port) };
      return probe({ host, port, directory, environment }, check);
    },

    onExit: (listener) => exits.listen(listener),

    async forget(id) {
      await load();
      const record = known.get(id);
      if (!record) return;
      known.delete(id);
      await leaveCgroups(record.cgroups);
      await files.remove(id);
      await Promise.all((await logFilesOf(record.logFile)).map((file) => rm(file, { force: true })));
      await rmdir(dirname(record.logFile)).catch(() => undefined);
    },
  };
}

function running(record: InstanceRecord, process: { readonly pid: number; readonly startTime: string }): RunningInstance {
  const { id, service, release, host, port, startedAt, logFile } = record;
  return { id, service, release, host, port, startedAt, logFile, ...process };
}

function hostOf(spec: InstanceSpec): string {
  const address = spec.machine?.outputs['address'];
  return typeof address === 'string' ? address : '127.0.0.1';
}

function startFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'no such program, or its folder is gone' : message;
}
