import { mkdir, rm } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import { isAlive, type ProcessIdentity, terminateGroup } from '../../effects/processes.ts';
import type { Random } from '../../effects/random.ts';
import { type SluiceError, sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import type { EventLog, NewEvent } from '../../telemetry/events.ts';
import type { GatewayProcess } from '../admin/gateway-report.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { endHaproxyOf } from '../engines/left-behind.ts';
import { endProcess, liveCrew, orphansIn } from '../crew-register.ts';
import { adminTokenOf, recordedProcess } from '../gateway-folder.ts';
import { gatewayVersion } from '../version.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { coalesced } from './coalesce.ts';
import { isInternalAddressFree, moveInternalAddress } from './internal-address.ts';
import { awaitStarting, gatewayProgram, spawnGateway } from './spawn-gateway.ts';

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
  /** Replaces the gateway by one of this version of Sluice, without refusing a connection. Throws `gateway_start_failed`: all is as before. */
  upgrade(): Promise<void>;
  /** During an outage, makes another attempt at once; its result is in `outage`. Never rejects. */
  retry(): Promise<void>;
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

/** One that has just been started is let come up, so that it can be asked to end. */
const stopStartingMs = 2_000;
const adoptionLimitMs = 3_000;
const successionMs = 10_000;
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
  let hasBegun = false;
  let replaced: Promise<unknown> = Promise.resolve();

  const tell = (level: NewEvent['level'], message: string): Promise<unknown> =>
    events.publish({ type: level === 'error' ? 'gateway.exited' : 'gateway.started', level, message }).catch(() => undefined);

  const runningOf = async ({ pid, startTime, adminUrl }: GatewayProcess, exit: Promise<unknown>): Promise<Running> => {
    const client = createAdminClient({ url: adminUrl, token: await adminTokenOf(folder, random) });
    return { identity: { pid, startTime }, client, exit, since: clock.monotonic() };
  };

  const adopt = async (): Promise<Running | undefined> => {
    await awaitStarting(folder, clock);
    const deadline = clock.monotonic() + adoptionLimitMs;
    for (;;) {
      // Read anew each time: one that is ending may have been replaced by another.
      const recorded = await recordedProcess(folder);
      if (recorded === undefined || !isAlive(recorded)) return undefined;
      const found = await runningOf(recorded, new Promise(() => {}));
      const answer = await found.client.report().catch(() => undefined);
      if (answer && !answer.stopping) return upgraded(found, recorded);
      // One that drains frees its ports when it ends; one that hangs is in the way.
      if (answer === undefined && clock.monotonic() > deadline) await terminateGroup(recorded, 1_000, clock);
      else await clock.sleep(50);
    }
  };

  /** A gateway of another version of Sluice is replaced by one of this, without refusing a connection; if that fails, it stays. */
  const upgraded = async (found: Running, { pid, version }: GatewayProcess): Promise<Running> => {
    if (version === gatewayVersion) return found;
    try {
      await found.client.handOver(gatewayProgram());
      return (await successorOf(pid)) ?? found;
    } catch (error) {
      const reason = toSluiceError(error).message;
      await tell('warning', `The gateway (pid ${pid}, version ${version ?? 'unknown'}) serves on as it is: ${reason}`);
      return found;
    }
  };

  /** The gateway process that another has handed over to, once it is on record. */
  const successorOf = async (pid: number): Promise<Running | undefined> => {
    const deadline = clock.monotonic() + successionMs;
    for (;;) {
      const recorded = await recordedProcess(folder);
      if (recorded !== undefined && recorded.pid !== pid && isAlive(recorded)) return runningOf(recorded, new Promise(() => {}));
      if (clock.monotonic() > deadline) return undefined;
      await clock.sleep(20);
    }
  };

  /** The workers of a main process that died start another by themselves. Ends them if they do not. */
  const awaitSuccessor = async (): Promise<Running | undefined> => {
    const recorded = await recordedProcess(folder);
    const deadline = clock.monotonic() + successionMs;
    for (;;) {
      const orphans = await orphansIn(folder);
      const found = await recordedProcess(folder);
      if (found !== undefined && found.pid !== recorded?.pid && isAlive(found)) return adopt();
      if (orphans.length === 0) return undefined;
      if (clock.monotonic() > deadline) for (const orphan of orphans) endProcess(orphan);
      await clock.sleep(20);
    }
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
    const adopted = (await adopt()) ?? (await awaitSuccessor()) ?? ((await isInternalAddressFree(folder)) ? undefined : await adoptLate());
    if (adopted !== undefined) return adopted;
    if (!(await isInternalAddressFree(folder))) await moveAway();
    const spawned = await spawnGateway(folder, clock, signal);
    return runningOf(spawned.process, spawned.exit);
  };

  /** One attempt to have a gateway. What it fails at is told once and is the outage until an attempt succeeds. */
  const attempt = async (signal: AbortSignal): Promise<Running | undefined> => {
    try {
      const replacement = await adoptOrSpawn(signal);
      if (signal.aborted) return undefined;
      running = replacement;
      outage = undefined;
      return replacement;
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (signal.aborted) return undefined;
      const isNew = outage?.message !== error.message;
      outage = error;
      if (isNew) await tell('error', `${error.message} It is tried again until it succeeds.`);
      return undefined;
    }
  };

  /** Attempts of whoever needs a gateway, one at a time; each waits for one that began after it asked. */
  const tryAgain = coalesced(async () => {
    const signal = watching?.signal;
    if (signal === undefined || running !== undefined) return;
    const found = await attempt(signal);
    if (found === undefined || !hasBegun) return;
    await tell('info', `The gateway runs again (pid ${found.identity.pid}).`);
    replaced = onReplaced().catch((thrown: unknown) => tell('error', toSluiceError(thrown).message));
  });

  const watch = async (signal: AbortSignal): Promise<void> => {
    let backoffMs = shortestBackoffMs;
    for (;;) {
      const current = running;
      if (current) {
        await Promise.race([current.exit, clock.sleep(pollMs, signal)]);
        if (signal.aborted) return;
        if (running !== current) continue;
        if (isAlive(current.identity)) {
          await followSuccession(current);
          continue;
        }
        running = undefined;
        await tell('error', `The gateway (pid ${current.identity.pid}) ended; it is replaced.`);
        if (clock.monotonic() - current.since > soundLifeMs) backoffMs = shortestBackoffMs;
      }
      const longestMs = outage?.code === 'gateway_port_taken' ? longestPortBackoffMs : longestBackoffMs;
      await clock.sleep(Math.min(backoffMs, longestMs) * (0.5 + random.next() / 2), signal);
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
      await tryAgain();
      await replaced;
    }
  };

  /** Another process may have taken over on somebody else's word. */
  const followSuccession = async (current: Running): Promise<void> => {
    const recorded = await recordedProcess(folder);
    if (recorded === undefined || recorded.pid === current.identity.pid || !isAlive(recorded)) return;
    const successor = await runningOf(recorded, new Promise(() => {}));
    if (running === current) running = successor;
  };

  /** A process that lives and does not answer can be told nothing: it is ended alone, and its workers, which serve on, replace it. */
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
      endProcess(current.identity);
    }
  };

  const begin = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const before = await recordedProcess(folder);
    const controller = new AbortController();
    watching = controller;
    for (let tries = 1; tries <= firstTries; tries += 1) {
      await tryAgain();
      if (running !== undefined || controller.signal.aborted || outage?.code === 'gateway_port_taken') break;
      await clock.sleep(shortestBackoffMs * tries * (0.5 + random.next()));
    }
    hasBegun = true;
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
    hasBegun = false;
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
      const supervised = running;
      leave();
      await tryAgain();
      await awaitStarting(folder, clock, stopStartingMs);
      const recorded = await recordedProcess(folder);
      // Its folder may have been removed under it, and the record with it.
      const ends = recorded === undefined ? supervised : await runningOf(recorded, new Promise(() => {}));
      if (ends !== undefined && isAlive(ends.identity)) {
        const { client, identity } = ends;
        const isTold = await client.drainAndExit(deadlineMs).then(
          () => true,
          () => false,
        );
        // One that does not answer will not drain either.
        const deadline = clock.monotonic() + (isTold ? deadlineMs : 0) + 1_000;
        while (isAlive(identity) && clock.monotonic() < deadline) await clock.sleep(20);
        await terminateGroup(identity, 1_000, clock);
      }
      for (const member of await liveCrew(folder)) endProcess(member);
      await endHaproxyOf(folder, clock);
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
    upgrade: async () => {
      const current = running;
      if (current === undefined) throw sluiceError('gateway_unreachable', { reason: 'none runs' });
      await current.client.handOver(gatewayProgram());
      const successor = await successorOf(current.identity.pid);
      if (successor === undefined) throw sluiceError('gateway_start_failed', { reason: 'it is not on record.' });
      running = successor;
      await tell('info', `The gateway was replaced (pid ${successor.identity.pid}).`);
    },
    retry: async () => {
      if (outage !== undefined) await tryAgain();
    },
  };
}
