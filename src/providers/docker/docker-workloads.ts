import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { timestamp, type Clock } from '../../effects/clock.ts';
import { freePort } from '../../effects/ports.ts';
import { isAlive } from '../../effects/processes.ts';
import type { Random } from '../../effects/random.ts';
import { sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import { logFilesOf } from '../local/workloads/instance-logs.ts';
import { createInstanceRecords } from '../local/workloads/instance-record.ts';
import { probe } from '../local/workloads/probe.ts';
import type { InstanceImage, InstanceSpec, ProbeResult, RunningInstance, Workloads } from '../workloads.ts';
import { type FollowedLog, followContainerLog } from './container-log.ts';
import { probeInside } from './container-probe.ts';
import { type ContainerRecord, homeFilter, instanceOf, labelsOf, recordOfLabels, runningOf } from './container-record.ts';
import { containerRequest } from './container-request.ts';
import { createContainerWatch } from './container-watch.ts';
import { createContainers, type SeenContainer } from './containers.ts';
import { type DockerImages, homeLabel } from './docker-images.ts';
import type { Engine } from './engine.ts';

export interface DockerWorkloadsDependencies {
  /** SLUICE_HOME: records go to `containers/`, logs to `logs/<service>/<instance>.log`. */
  readonly home: string;
  readonly engine: Engine;
  readonly images: Pick<DockerImages, 'idOf'>;
  readonly clock: Clock;
  readonly random: Random;
}

/** An engine that is being restarted is waited for so long before an instance counts as one that cannot be started. */
const engineWaitMs = 15_000;
const enginePauseMs = 200;
const mergePauseMs = 2_000;
/** How long what it last wrote may take to arrive before its end is told without it. */
const lastWordsMs = 2_000;
const folder = 'containers';

/**
 * Instances as containers of a Docker engine on this machine, in the machine's own network. A home that never started one never asks for
 * an engine. Throws also `engine_unreachable` and `engine_failed`.
 */
export function createDockerWorkloads({ home, engine, images, clock, random }: DockerWorkloadsDependencies): Workloads {
  const label = homeLabel(home);
  const files = createInstanceRecords<ContainerRecord>(home, folder);
  const containers = createContainers(engine);
  const known = new Map<string, ContainerRecord>();
  const starting = new Map<string, Promise<RunningInstance>>();
  const logs = new Map<string, FollowedLog>();
  const answers = new Map<string, ProbeResult>();
  let isAttended = false;
  let loaded: Promise<void> | undefined;
  let isMerged = false;
  let merging: Promise<void> | undefined;
  let nextMerge = 0;
  const watch = createContainerWatch({ clock, containers, known, save: (record) => files.save(record), onEnd, attended });

  async function onEnd(record: ContainerRecord): Promise<void> {
    const log = logs.get(record.id);
    const late = new AbortController();
    await Promise.race([log?.done, clock.sleep(lastWordsMs, late.signal).catch(() => undefined)]);
    late.abort();
    if (logs.get(record.id) === log) logs.delete(record.id);
    log?.stop();
    if (known.get(record.id) === record) await files.save(record);
  }

  function attended(is: boolean): void {
    isAttended = is;
    if (is) void load().catch(() => undefined);
    else for (const log of logs.values()) log.stop();
    if (!is) logs.clear();
  }

  /** Only one control plane writes to a log: the one that looks after what runs. */
  async function followLog(record: ContainerRecord): Promise<void> {
    const { id, container, logFile } = record;
    if (!isAttended || container === undefined || record.exit || logs.has(id)) return;
    const own = await files.folder(id);
    if (logs.has(id)) return;
    const isOver = (): boolean => {
      const now = known.get(id);
      return now?.container !== container || now.exit !== undefined || (now.process !== undefined && !isAlive(now.process));
    };
    logs.set(id, followContainerLog({ container, logFile, folder: own, isOver }, { engine, clock }));
  }

  async function load(): Promise<void> {
    loaded ??= (async () => {
      if (!existsSync(join(home, folder))) {
        isMerged = true;
        return;
      }
      const { records, damaged } = await files.load();
      for (const record of records) known.set(record.id, record);
      // The container says the same by its labels.
      for (const id of damaged) await files.remove(id);
    })();
    await loaded;
    await mergeOnce();
    for (const record of known.values()) await followLog(record);
  }

  /** Until it has succeeded, again now and then: nobody waits long for an engine that is away. */
  async function mergeOnce(): Promise<void> {
    if (isMerged || (merging === undefined && clock.monotonic() < nextMerge)) return;
    merging ??= merge()
      .catch(() => undefined)
      .finally(() => {
        merging = undefined;
        nextMerge = clock.monotonic() + mergePauseMs;
      });
    await merging;
  }

  /** Containers of this home whose record is lost, or was never finished. Its name says that Sluice made it; labels may be of its image. */
  async function merge(): Promise<void> {
    const found = await containers.list(homeFilter(label), { timeoutMs: 5_000 });
    isMerged = true;
    for (const { container, names, labels } of found) {
      if (!names.includes(nameOf(instanceOf(labels) ?? ''))) continue;
      const record = known.get(instanceOf(labels) ?? '') ?? recordOfLabels(labels, container);
      if (record === undefined || (record.container === container && known.has(record.id)) || starting.has(record.id)) continue;
      const seen = await containers.inspect(container);
      if (seen === undefined || seen.state === 'created' || (record.container !== undefined && known.has(record.id))) {
        if (seen?.state === 'created') await containers.remove(container);
        continue;
      }
      const adopted = adoptedAs(record, seen);
      known.set(adopted.id, adopted);
      await files.save(adopted);
    }
  }

  async function launch(spec: InstanceSpec, image: InstanceImage): Promise<RunningInstance> {
    const { id, service, release } = spec;
    const program = spec.command[0] ?? image.reference;
    const previous = known.get(id);
    const host = hostOf(spec);
    const port = await choosePort(host);
    const logFile = join(home, 'logs', service.split('/').at(-1) ?? id, `${id}.log`);
    const intent: ContainerRecord = { id, service, release, host, port, logFile, startedAt: timestamp(clock.now()) };
    const name = nameOf(id);
    let mayExist = false;
    await files.folder(id);
    try {
      const imageId = await whenThere(() => images.idOf(image));
      if (previous?.container !== undefined) await containers.remove(previous.container);
      await files.save(intent);
      const request = containerRequest(spec, { image: imageId, host, port, labels: labelsOf(label, intent) });
      mayExist = true;
      const container = (await containers.create(name, request)) ?? (await takenOver(name, request, release));
      if (typeof container !== 'string') return await begun(container);
      const refusal = await containers.start(container);
      if (refusal !== undefined) {
        await containers.remove(container);
        throw sluiceError('instance_start_failed', { instance: id, program, reason: refusal });
      }
      const seen = await containers.inspect(container);
      return await begun({ ...intent, container, ...(seen?.process && { process: seen.process }) });
    } catch (error) {
      if (mayExist && toSluiceError(error).code !== 'instance_start_failed') known.set(id, intent);
      else if (mayExist || previous === undefined) {
        known.delete(id);
        await files.remove(id);
      }
      throw error;
    }
  }

  async function begun(record: ContainerRecord): Promise<RunningInstance> {
    logs.get(record.id)?.stop();
    logs.delete(record.id);
    watch.begin(record.id);
    answers.delete(record.id);
    known.set(record.id, record);
    await files.save(record);
    await followLog(record);
    return runningOf(record);
  }

  /** The name is taken: by the same instance, started by a control plane that was killed before it wrote so, or by what is left of it. */
  async function takenOver(name: string, request: Parameters<typeof containers.create>[1], release: string) {
    const seen = await containers.inspect(name);
    const record = seen && recordOfLabels(seen.labels, seen.container);
    if (seen?.state === 'running' && record?.release === release) return adoptedAs(record, seen);
    if (seen) await containers.remove(seen.container);
    const container = await containers.create(name, request);
    if (container === undefined) throw sluiceError('engine_failed', { action: `make the container ${name}`, reason: 'its name is taken' });
    return container;
  }

  /** A restart of the engine is no reason to give up an instance. */
  async function whenThere<Value>(work: () => Promise<Value>): Promise<Value> {
    const deadline = clock.monotonic() + engineWaitMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        // Where there never was one, there is nothing to wait for.
        const mayReturn = toSluiceError(error).code === 'engine_unreachable' && known.size > 0;
        if (!mayReturn || clock.monotonic() >= deadline) throw error;
        await clock.sleep(enginePauseMs);
      }
    }
  }

  async function choosePort(host: string): Promise<number> {
    const taken = new Set([...known.values()].filter((record) => !record.exit).map(({ port }) => port));
    for (;;) {
      // Below the range systems take outgoing ports from, so that none is lost before the container listens.
      const port = await freePort(host, 10_240 + Math.floor(random.next() * 20_000));
      if (!taken.has(port)) return port;
    }
  }

  const nameOf = (id: string): string => `sluice-${label}-${id}`;

  /** One that the engine may have made before it went away. */
  async function removeUnseen(id: string): Promise<void> {
    const seen = await containers.inspect(nameOf(id));
    if (seen) await containers.remove(seen.container);
  }

  /** While the engine is away, a container is taken for what it was. */
  async function probeCommand(id: string, answer: Promise<ProbeResult>): Promise<ProbeResult> {
    try {
      const result = await answer;
      answers.set(id, result);
      return result;
    } catch (error) {
      return answers.get(id) ?? { ready: false, reason: toSluiceError(error).message };
    }
  }

  async function end(record: ContainerRecord, container: string, deadlineMs: number): Promise<void> {
    const seen = await containers.inspect(container);
    if (seen === undefined && record.process !== undefined && isAlive(record.process)) {
      const reason = 'this engine does not know it, and yet it runs: another engine has started it (DOCKER_HOST, or the Docker context)';
      throw sluiceError('engine_failed', { action: `end the container of ${record.id}`, reason });
    }
    if (seen?.state !== 'running') return;
    await containers.signal(container, seen.stopSignal);
    if (await containers.waitUntilEnded(container, deadlineMs)) return;
    await containers.signal(container, 'SIGKILL');
    if (await containers.waitUntilEnded(container, 10_000)) return;
    throw sluiceError('engine_failed', { action: `end the container of ${record.id}`, reason: 'it does not end by SIGKILL' });
  }

  return {
    async start(spec) {
      await load();
      const { image } = spec;
      if (!image) throw sluiceError('instance_start_failed', { instance: spec.id, program: '', reason: 'it names no image' });
      const status = await watch.statusOf(spec.id);
      if (status.status === 'running') return status.instance;
      const begunStart = starting.get(spec.id) ?? launch(spec, image).finally(() => starting.delete(spec.id));
      starting.set(spec.id, begunStart);
      return begunStart;
    },

    async stop(id, deadlineMs) {
      await load();
      const record = known.get(id);
      if (record === undefined || record.exit) return;
      if (record.container === undefined) return removeUnseen(id);
      watch.expect(id);
      await end(record, record.container, deadlineMs).catch((error: unknown) => {
        // It goes on, and so does its end.
        watch.begin(id);
        throw error;
      });
      const status = await watch.statusOf(id);
      if (status.status === 'running')
        throw sluiceError('engine_failed', { action: `end the container of ${id}`, reason: 'it still runs' });
    },

    async inspect(id) {
      await load();
      return watch.statusOf(id);
    },

    async list() {
      await load();
      return [...known.values()].map(runningOf);
    },

    async probe(id, check) {
      await load();
      const status = await watch.statusOf(id);
      const record = known.get(id);
      if (record?.container === undefined || status.status !== 'running') return { ready: false, reason: 'the instance is not running' };
      if (check.type === 'command') return probeCommand(id, probeInside(record.container, check, { engine, clock }));
      return probe({ host: record.host, port: record.port, directory: home, environment: {} }, check);
    },

    onExit: (listener) => watch.listen(listener),

    async forget(id) {
      await load();
      const record = known.get(id);
      if (!record) return;
      await (record.container === undefined ? removeUnseen(id) : containers.remove(record.container));
      logs.get(id)?.stop();
      await logs.get(id)?.done;
      logs.delete(id);
      known.delete(id);
      answers.delete(id);
      await files.remove(id);
      await Promise.all((await logFilesOf(record.logFile)).map((file) => rm(file, { force: true })));
      await rmdir(dirname(record.logFile)).catch(() => undefined);
    },
  };
}

function adoptedAs(record: ContainerRecord, { container, process }: SeenContainer): ContainerRecord {
  return { ...record, container, ...(process && { process }) };
}

function hostOf(spec: InstanceSpec): string {
  const address = spec.machine?.outputs['address'];
  return typeof address === 'string' ? address : '127.0.0.1';
}
