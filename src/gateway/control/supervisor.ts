import { mkdir, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../effects/clock.ts';
import { isAlive, type ProcessIdentity, startDetached, tailOf, terminateGroup } from '../../effects/processes.ts';
import type { Random } from '../../effects/random.ts';
import { sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import type { EventLog, NewEvent } from '../../telemetry/events.ts';
import type { GatewayProcess } from '../admin/gateway-report.ts';
import { adminTokenOf, gatewayFiles, recordedProcess, settingsOf } from '../gateway-folder.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';

/** Keeps one gateway process running for a folder, across restarts of either side. */
export interface Supervisor {
  /** Adopts the running gateway or starts one, and from then on replaces it whenever it ends. Idempotent. */
  start(): Promise<void>;
  /** Stops watching; the gateway goes on. */
  leave(): void;
  /** Lets the gateway finish and end; by force some time after the deadline. Success when none runs. */
  stop(deadlineMs: number): Promise<void>;
  /** The gateway to talk to; waits while it is being replaced. Throws `gateway_unreachable`. */
  client(): Promise<AdminClient>;
}

export interface SupervisorDependencies {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventLog;
  /** Called after each replacement, once the new process answers. */
  readonly onReplaced: () => Promise<void>;
}

const startLimitMs = 20_000;
const adoptionLimitMs = 3_000;
const patienceMs = 15_000;
const pollMs = process.platform === 'linux' ? 200 : 1_000;
const shortestBackoffMs = 50;
const longestBackoffMs = 10_000;
/** Having lived this long, a gateway is replaced at once and not with the backoff of a crash loop. */
const soundLifeMs = 30_000;

/** `main.ts` from sources, `main.js` when compiled: whatever this file is. */
const here = fileURLToPath(import.meta.url);
const entry = fileURLToPath(new URL(`../main${extname(here)}`, import.meta.url));

interface Running {
  readonly identity: ProcessIdentity;
  readonly client: AdminClient;
  /** Settles when the process ends; never for an adopted one. */
  readonly exit: Promise<unknown>;
  readonly since: number;
}

export function createSupervisor({ folder, clock, random, events, onReplaced }: SupervisorDependencies): Supervisor {
  const files = gatewayFiles(folder);
  let watching: AbortController | undefined;
  let running: Running | undefined;
  let starting: Promise<void> | undefined;

  const tell = (event: NewEvent): Promise<unknown> => events.publish(event).catch(() => undefined);

  const clientOf = async (process: GatewayProcess): Promise<AdminClient> =>
    createAdminClient({ url: process.adminUrl, token: await adminTokenOf(folder, random) });

  const adopt = async (): Promise<Running | undefined> => {
    const recorded = await recordedProcess(folder);
    if (recorded === undefined || !isAlive(recorded)) return undefined;
    const client = await clientOf(recorded);
    const deadline = clock.monotonic() + adoptionLimitMs;
    while (isAlive(recorded)) {
      const answer = await client.report().catch(() => undefined);
      if (answer && !answer.stopping) return { identity: recorded, client, exit: new Promise(() => {}), since: clock.monotonic() };
      // One that drains frees its ports when it ends; one that hangs is in the way.
      if (answer === undefined && clock.monotonic() > deadline) await terminateGroup(recorded, 1_000, clock);
      else await clock.sleep(50);
    }
    return undefined;
  };

  const spawn = async (): Promise<Running> => {
    const since = clock.monotonic();
    const started = await startDetached({
      command: [process.execPath, entry, folder],
      directory: folder,
      environment: { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: files.compileCache },
      logFile: files.output,
    });
    let hasExited = false;
    started.exit.then(() => {
      hasExited = true;
    }, String);
    for (;;) {
      const recorded = await recordedProcess(folder);
      if (recorded?.pid === started.pid && recorded.startTime === started.startTime) {
        const identity = { pid: started.pid, startTime: started.startTime };
        return { identity, client: await clientOf(recorded), exit: started.exit, since };
      }
      if (hasExited || clock.monotonic() - since > startLimitMs) {
        await terminateGroup(started, 500, clock);
        const tail = (await tailOf(files.output)).trim();
        throw sluiceError('gateway_start_failed', { reason: tail === '' ? 'it ended without a word.' : tail });
      }
      await clock.sleep(20);
    }
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
        await tell({ type: 'gateway.exited', level: 'error', message: `The gateway (pid ${current.identity.pid}) ended; it is replaced.` });
        if (clock.monotonic() - current.since > soundLifeMs) backoffMs = shortestBackoffMs;
      }
      await clock.sleep(backoffMs * (0.5 + random.next() / 2), signal);
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
      await replace(signal);
    }
  };

  const replace = async (signal: AbortSignal): Promise<void> => {
    try {
      const replacement = (await adopt()) ?? (await spawn());
      if (signal.aborted) return;
      running = replacement;
      await tell({ type: 'gateway.started', level: 'info', message: `The gateway runs again (pid ${replacement.identity.pid}).` });
      await onReplaced();
    } catch (error) {
      await tell({ type: 'gateway.exited', level: 'error', message: toSluiceError(error).message });
    }
  };

  const begin = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await settingsOf(folder);
    running = await adopt();
    if (running === undefined) {
      running = await spawn();
      await tell({ type: 'gateway.started', level: 'info', message: `The gateway runs (pid ${running.identity.pid}).` });
    }
    const controller = new AbortController();
    watching = controller;
    // Ends by its signal alone; everything else is handled inside.
    watch(controller.signal).catch(() => {});
  };

  const leave = (): void => {
    watching?.abort(new Error('no longer supervised'));
    watching = undefined;
    starting = undefined;
    running = undefined;
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
      const recorded = await recordedProcess(folder);
      if (recorded === undefined) return;
      if (isAlive(recorded)) {
        const client = await clientOf(recorded);
        await client.drainAndExit(deadlineMs).catch(() => undefined);
        const deadline = clock.monotonic() + deadlineMs + 1_000;
        while (isAlive(recorded) && clock.monotonic() < deadline) await clock.sleep(20);
        await terminateGroup(recorded, 1_000, clock);
      }
      await rm(files.process, { force: true });
    },
    client: async () => {
      if (starting === undefined) throw sluiceError('gateway_unreachable', { reason: 'it has not been started' });
      await starting;
      const deadline = clock.monotonic() + patienceMs;
      for (;;) {
        if (running) return running.client;
        if (watching === undefined || clock.monotonic() > deadline)
          throw sluiceError('gateway_unreachable', { reason: 'it is being restarted' });
        await clock.sleep(20);
      }
    },
  };
}
