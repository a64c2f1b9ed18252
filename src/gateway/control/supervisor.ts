import { mkdir, rm } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import { isAlive, type ProcessIdentity, terminateGroup } from '../../effects/processes.ts';
import type { Random } from '../../effects/random.ts';
import { type SluiceError, sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import type { EventLog, NewEvent } from '../../telemetry/events.ts';
import type { GatewayProcess } from '../admin/gateway-report.ts';
import { adminTokenOf, gatewayFiles, recordedProcess } from '../gateway-folder.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { isInternalAddressFree, moveInternalAddress } from './internal-address.ts';
import { spawnGateway } from './spawn-gateway.ts';

/** Keeps one gateway process running for a folder, across restarts of either side. */
export interface Supervisor {
  /**
   * Adopts the running gateway or starts one, and from then on replaces it whenever it ends or hangs. Resolves also when none can be started now:
   * it is tried again, and `outage` says why. Idempotent.
   */
  start(): Promise<void>;
  /** Stops watching; the gateway goes on. */
  leave(): void;
  /** Lets the gateway finish and end; by force some time after the deadline. Success when none runs. */
  stop(deadlineMs: number): Promise<void>;
  /** The gateway to talk to; waits while it is being replaced. Throws `gateway_unreachable`, during an outage at once. */
  client(): Promise<AdminClient>;
  /** Why no gateway runs, if the last attempt to start one has failed. */
  outage(): string | undefined;
}

export interface SupervisorDependencies {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventLog;
  /** Whether any instance runs: each has the internal address in its environment. */
  readonly instancesRun: () => Promise<boolean>;
  /** Called after each replacement, once the new process answers. */
  readonly onReplaced: () => Promise<void>;
}

const adoptionLimitMs = 3_000;
const patienceMs = 15_000;
const pollMs = process.platform === 'linux' ? 200 : 1_000;
const pulseMs = 2_000;
const missedPulses = 3;
const shortestBackoffMs = 50;
const longestBackoffMs = 10_000;
/** To look whether a port is free again costs next to nothing, and somebody waits for it. */
const longestPortBackoffMs = 1_000;
/** Having lived this long, a gateway is replaced at once and not with the backoff of a crash loop. */
const soundLifeMs = 30_000;
/** A gateway left behind by a control plane that was killed while it started one records itself within this time of taking the port. */
const unrecordedMs = 1_000;
/** Two homes that were given the same port: one finds it taken between looking and listening. */
const firstTries = 5;

interface Running {
  readonly identity: ProcessIdentity;
  readonly client: AdminClient;
  /** Settles when the process ends; never for an adopted one. */
  readonly exit: Promise<unknown>;
  readonly since: number;
}

export function createSupervisor(dependencies: SupervisorDependencies): Supervisor {
  const { folder, clock, random, events, instancesRun, onReplaced } = dependencies;
  let watching: AbortController | undefined;
  let running: Running | undefined;
  let outage: SluiceError | undefined;
  let starting: Promise<void> | undefined;
  let attempting: Promise<unknown> = Promise.resolve();

  const tell = (level: NewEvent['level'], message: string): Promise<unknown> =>
    events.publish({ type: level === 'error' ? 'gateway.exited' : 'gateway.started', level, message }).catch(() => undefined);

  const runningOf = async ({ pid, startTime, adminUrl }: GatewayProcess, exit: Promise<unknown>): Promise<Running> => {
    const client = createAdminClient({ url: adminUrl, token: await adminTokenOf(folder, random) });
    return { identity: { pid, startTime }, client, exit, since: clock.monotonic() };
  };

  const adopt = async (): Promise<Running | undefined> => {
    const recorded = await recordedProcess(folder);
    if (recorded === undefined || !isAlive(recorded)) return undefined;
    const found = await runningOf(recorded, new Promise(() => {}));
    const deadline = clock.monotonic() + adoptionLimitMs;
    while (isAlive(recorded)) {
      const answer = await found.client.report().catch(() => undefined);
      if (answer && !answer.stopping) return found;
      // One that drains frees its ports when it ends; one that hangs is in the way.
      if (answer === undefined && clock.monotonic() > deadline) await terminateGroup(recorded, 1_000, clock);
      else await clock.sleep(50);
    }
    return undefined;
  };

  const adoptLate = async (): Promise<Running | undefined> => {
    const deadline = clock.monotonic() + unrecordedMs;
    for (;;) {
      const adopted = await adopt();
      if (adopted !== undefined || clock.monotonic() > deadline) return adopted;
      await clock.sleep(50);
    }
  };

  const moveAway = async (): Promise<void> => {
    const { from, to } = await moveInternalAddress(folder, instancesRun);
    const url = `http://${to.host}:${to.port}`;
    await tell('warning', `Port ${from.port} is taken by another program: services call each other at ${url} now.`);
  };

  const adoptOrSpawn = async (signal: AbortSignal): Promise<Running> => {
    const adopted = (await adopt()) ?? ((await isInternalAddressFree(folder)) ? undefined : await adoptLate());
    if (adopted !== undefined) return adopted;
    if (!(await isInternalAddressFree(folder))) await moveAway();
    const spawned = await spawnGateway(folder, clock, signal);
    return runningOf(spawned.process, spawned.exit);
  };

  /** One attempt to have a gateway. What it fails at is told once and is the outage until an attempt succeeds. */
  const attempt = async (signal: AbortSignal): Promise<boolean> => {
    try {
      const replacement = await adoptOrSpawn(signal);
      if (signal.aborted) return false;
      running = replacement;
      outage = undefined;
      return true;
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (signal.aborted) return false;
      const isNew = outage?.message !== error.message;
      outage = error;
      if (isNew) await tell('error', `${error.message} It is tried again until it succeeds.`);
      return false;
    }
  };
  const tryOnce = (signal: AbortSignal): Promise<boolean> => {
    const result = attempt(signal);
    attempting = result;
    return result;
  };

  const watch = async (signal: AbortSignal): Promise<void> => {
    let backoffMs = shortestBackoffMs;
    for (;;) {
      const current = running;
      if (current) {
        await Promise.race([current.exit, clock.sleep(pollMs, signal)]);
        if (signal.aborted) return;
        if (isAlive(current.identity)) continue;
        running = undefined;
        await tell('error', `The gateway (pid ${current.identity.pid}) ended; it is replaced.`);
        if (clock.monotonic() - current.since > soundLifeMs) backoffMs = shortestBackoffMs;
      }
      const longestMs = outage?.code === 'gateway_port_taken' ? longestPortBackoffMs : longestBackoffMs;
      await clock.sleep(Math.min(backoffMs, longestMs) * (0.5 + random.next() / 2), signal);
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
      if (!(await tryOnce(signal))) continue;
      await tell('info', `The gateway runs again (pid ${running?.identity.pid}).`);
      await onReplaced().catch((thrown: unknown) => tell('error', toSluiceError(thrown).message));
    }
  };

  /** A process that lives and does not answer serves nobody: it is ended, and `watch` replaces it. */
  const watchPulse = async (signal: AbortSignal): Promise<void> => {
    let missed = 0;
    for (;;) {
      await clock.sleep(pulseMs, signal);
      const current = running;
      const answers = current === undefined || (await current.client.report().catch(() => undefined)) !== undefined;
      missed = answers || current !== running ? 0 : missed + 1;
      if (missed < missedPulses || current === undefined || signal.aborted) continue;
      missed = 0;
      await tell('error', `The gateway (pid ${current.identity.pid}) has ceased to answer; it is ended.`);
      await terminateGroup(current.identity, 1_000, clock);
    }
  };

  const begin = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const before = await recordedProcess(folder);
    const controller = new AbortController();
    watching = controller;
    for (let tries = 1; tries <= firstTries && !(await tryOnce(controller.signal)); tries += 1) {
      if (controller.signal.aborted || outage?.code === 'gateway_port_taken') break;
      await clock.sleep(shortestBackoffMs * tries * (0.5 + random.next()));
    }
    const pid = running?.identity.pid;
    if (pid !== undefined && pid !== before?.pid) await tell('info', `The gateway runs (pid ${pid}).`);
    // Both end by their signal alone; everything else is handled inside.
    watch(controller.signal).catch(() => {});
    watchPulse(controller.signal).catch(() => {});
  };

  const leave = (): void => {
    watching?.abort(new Error('no longer supervised'));
    watching = undefined;
    starting = undefined;
    running = undefined;
    outage = undefined;
  };

  return {
    start: () => {
      starting ??= begin().catch((error: unknown) => {
        starting = undefined;
        throw error;
      });
      return starting;
    },
    leave,
    stop: async (deadlineMs) => {
      leave();
      await attempting;
      const recorded = await recordedProcess(folder);
      if (recorded === undefined) return;
      if (isAlive(recorded)) {
        const { client } = await runningOf(recorded, new Promise(() => {}));
        const isTold = await client.drainAndExit(deadlineMs).then(
          () => true,
          () => false,
        );
        // One that does not answer will not drain either.
        const deadline = clock.monotonic() + (isTold ? deadlineMs : 0) + 1_000;
        while (isAlive(recorded) && clock.monotonic() < deadline) await clock.sleep(20);
        await terminateGroup(recorded, 1_000, clock);
      }
      await rm(gatewayFiles(folder).process, { force: true });
    },
    client: async () => {
      if (starting === undefined) throw sluiceError('gateway_unreachable', { reason: 'it has not been started' });
      await starting;
      const deadline = clock.monotonic() + patienceMs;
      for (;;) {
        if (running) return running.client;
        if (outage) throw sluiceError('gateway_unreachable', { reason: outage.message }, { cause: outage });
        if (watching === undefined || clock.monotonic() > deadline)
          throw sluiceError('gateway_unreachable', { reason: 'it is being restarted' });
        await clock.sleep(20);
      }
    },
    outage: () => outage?.message,
  };
}
