import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, timestamp } from '../effects/clock.ts';
import { writeDurably } from '../effects/files.ts';
import { identify, isAlive } from '../effects/processes.ts';
import { systemRandom } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { createAdminServer } from './admin/admin-server.ts';
import type { GatewayProcess } from './admin/gateway-report.ts';
import { gatewayFiles } from './gateway-files.ts';
import { adminTokenOf, settingsOf } from './gateway-folder.ts';
import { noteFailure } from './engines/haproxy-failure.ts';
import { openEngines } from './engines/open-engines.ts';
import { keepCompiled } from './compile-cache.ts';
import { watchFolder } from './folder-watch.ts';
import { createGateway, type EngineChange, type Gateway } from './gateway.ts';
import { listen } from './listening/listen.ts';
import { type GatewayLog, openLog } from './log.ts';
import { createEvidenceLedger } from './measuring/evidence-ledger.ts';
import { type CountsHeir, createHandedCounts, createHandingCounts, type HandedCounts, newLife } from './measuring/handed-counts.ts';
import { hasTraces, openAccessLog } from './measuring/open-observer.ts';
import { createMeasuring, type EvidenceBefore } from './measuring/measuring.ts';
import { createOrphanWords } from './measuring/orphan-words.ts';
import { openSnapshot } from './table/snapshot.ts';
import { gatewayVersion } from './version.ts';
import { createTlsUpkeep } from './tls/upkeep.ts';
import { handOver } from './worker/hand-over.ts';
import { createPredecessors } from './worker/predecessors.ts';
import { orphanWordPrefix } from './worker/orphan-word.ts';
import { type TakenCounts, workerName } from './worker/counts-of-worker.ts';
import { nothingInherited, receiveInheritance, tellServing } from './worker/take-over.ts';
import { startWorker } from './worker/worker-link.ts';
import { createWorkerPool } from './worker/worker-pool.ts';

const signalDrainMs = 30_000;
const yieldMs = 5_000;
/** One that fails ends; this is for one that hangs, and a busy machine takes long to start four processes. */
const successorMs = 25_000;
/** What a process that this one took over from needs to tell its last counts once it has ended. */
const lastWordMs = 2_000;
/** What the engine of before has to finish. */
const engineDrainMs = 300_000;
const pulse = { intervalMs: 500, missed: 8 };

/** `main.ts` from sources, `main.js` when compiled: whatever this file is. */
const here = fileURLToPath(import.meta.url);
const mainEntry = fileURLToPath(new URL(`main${extname(here)}`, import.meta.url));
const workerEntry = fileURLToPath(new URL(`worker/main${extname(here)}`, import.meta.url));

/**
 * The gateway's main process: holds the sockets, the table and its snapshot, checks health, and keeps the workers that serve. Resolves
 * once it serves; it then lives until a signal or `drain-and-exit`. `takeOver`: the sockets come from the gateway it replaces, over the
 * channel to its parent. Throws `gateway_port_taken` when the internal address is taken: what then has to be done is the control plane's
 * to decide.
 */
export async function runGatewayProcess(folder: string, { takeOver }: { readonly takeOver: boolean }): Promise<void> {
  const clock = systemClock;
  const files = gatewayFiles(folder);
  if (takeOver && !existsSync(files.settings)) throw sluiceError('gateway_start_failed', { reason: 'its folder is gone.' });
  const inheritance = takeOver ? await receiveInheritance() : nothingInherited;
  const inherited = inheritance.sockets;
  const log = openLog(files.log, clock);
  keepAliveThroughFaults(log);
  const settings = await settingsOf(folder);
  const environment = processEnvironment();
  const { accessLog, traces } = settings;
  const observing = { ...(accessLog && { accessLog }), ...(traces && { traces }) };
  const pool = createWorkerPool({
    count: settings.workers ?? Math.max(2, availableParallelism()),
    spawn: (elders, onNotice) =>
      startWorker({
        entry: workerEntry,
        parameters: { folder, mainPid: process.pid, elders, observing },
        environment: { NODE_COMPILE_CACHE: files.compileCache, ...environment },
        onNotice,
      }),
    clock,
    log,
    onEjected: (key) => gateway.ejected(key),
    onLastWord: (told) => measuring.workerTold(...(told as TakenCounts)),
    onEnded: (identity) => measuring.workerEnded(workerName(identity)),
    pulse,
  });
  const handedCounts = createHandedCounts(files.counts, inheritance.counts, clock, (name) => measuring.workerEnded(name));
  const { epoch, startedAt } = inheritance.counts ?? newLife(systemRandom, clock);
  const orphanWords = createOrphanWords(files.counts, orphanWordPrefix);
  const evidenceBefore = Promise.withResolvers<EvidenceBefore>();
  const measuring = createMeasuring({
    clock,
    random: systemRandom,
    life: { epoch, startedAt },
    ledger: createEvidenceLedger(files.evidence, log),
    before: evidenceBefore.promise,
    collected: () => orphanWords.settle(),
    collect: async () => {
      const taken = (await pool.collect('counts')) as readonly TakenCounts[];
      const besides = await plane.counts?.();
      const ofBefore = [...(await handedCounts.collect()), ...(await orphanWords.collect())];
      return [...taken, ...(besides === undefined ? [] : [['haproxy', besides] as const]), ...ofBefore];
    },
  });
  const self = identify(process.pid) ?? { pid: process.pid, startTime: 'unknown' };
  const handingCounts = createHandingCounts(files.counts, self, clock, () => measuring.handOn());
  const predecessors = createPredecessors(folder, process.pid, clock);
  const { snapshot, table: lastTable } = await openSnapshot(files.snapshot, () => clock.now());
  pool.warm(lastTable);
  const { choice, engine, openPlane } = await openEngines({
    lastTable,
    folder,
    clock,
    log,
    inherited,
    takeOver,
    crew: pool,
    predecessors: takeOver ? predecessors : undefined,
    openAccessLog: () => openAccessLog({ folder, worker: String(process.pid), settings: observing, clock, random: systemRandom, log }),
    isTraced: hasTraces({ settings: observing, environment }),
    onFailing: (reason) => gateway.engineFailed(reason),
  });
  const plane = await openPlane();
  const upkeep = createTlsUpkeep({ folder, clock, random: systemRandom, log });
  const engines: EngineChange = {
    engine,
    choose: (next) => choice.choose(next),
    replace: () => succeedBy([process.execPath, mainEntry], engineDrainMs),
    giveUp: async (reason) => {
      choice.giveUpHaproxy(reason);
      await noteFailure(folder, reason, clock);
    },
    reason: () => choice.reason(),
    warnings: () => choice.warnings(),
  };
  const gateway: Gateway = createGateway({ plane, snapshot, clock, random: systemRandom, log, measuring, upkeep, engines });
  const exitAfterDrain = once((deadlineMs: number): void => {
    log.info({ deadlineMs }, 'draining');
    gateway
      .drain(deadlineMs)
      .catch((error: unknown) => log.error({ reason: String(error) }, 'drain failed'))
      .then(() => handedCounts.ended(lastWordMs))
      .then(() => handingCounts.finish())
      .catch((error: unknown) => log.error({ reason: String(error) }, 'counts were not handed over'))
      .finally(() => {
        log.info({}, 'gateway ended');
        process.exit(0);
      });
  });
  const succeedBy = async (program: readonly [string, ...string[]], deadlineMs: number): Promise<void> => {
    const counts = { ...self, epoch, startedAt };
    const result = await handOver({ program, folder, sockets: plane.sockets(), counts, environment, clock, limitMs: successorMs });
    if (result.outcome === 'failed') throw sluiceError('gateway_start_failed', { reason: result.reason });
    if (result.takesUnits) measuring.passUnitsOn();
    // Before the workers here accept no more: the successor tells nobody of counts until it has these.
    await handingCounts.begin();
    log.info({ successor: result.successor.pid }, 'another gateway process has taken over');
    setImmediate(exitAfterDrain, deadlineMs);
  };
  const replaceBy = (program: readonly [string, ...string[]], deadlineMs: number): Promise<void> =>
    gateway.yieldTo(async () => {
      await succeedBy(program, deadlineMs);
      return true;
    });

  try {
    await gateway.start(settings.internal);
    if (takeOver) {
      await writeDurably(files.successor, JSON.stringify(self));
      // From here on the predecessor may be gone at any moment.
      pool.establish();
      tellServing();
      await predecessors.yielded(yieldMs);
      await handedCounts.begun(yieldMs);
    }
    evidenceBefore.resolve(await evidenceOf(handedCounts, inheritance.counts, await orphanWords.telling()));
    const token = await adminTokenOf(folder, systemRandom);
    const admin = createAdminServer({ gateway, token, onDrainRequested: exitAfterDrain, handOver: replaceBy });
    const adminPort = await listen(admin, '127.0.0.1', 0);
    process.on('SIGTERM', () => exitAfterDrain(signalDrainMs));
    process.on('SIGINT', () => exitAfterDrain(signalDrainMs));
    await writeDurably(files.process, JSON.stringify(describeProcess(adminPort)));
  } catch (error) {
    pool.kill();
    throw error;
  }
  pool.establish();
  keepCompiled();
  const watch = { folder, clock, log, onGone: () => exitAfterDrain(signalDrainMs) };
  watchFolder(watch, new AbortController().signal).catch((error: unknown) =>
    log.error({ reason: String(error) }, 'the folder is not watched'),
  );
  log.info({ tableVersion: gateway.tableVersion(), engine, workers: pool.pids() }, 'gateway serves');
}

/** Once the processes of before accept nothing any more. */
async function evidenceOf(
  handed: HandedCounts,
  from: CountsHeir | undefined,
  isTelling: (worker: string) => boolean,
): Promise<EvidenceBefore> {
  const { kind, evidence } = await handed.first();
  if (kind === 'older') return { from: 'forgetful', evidence };
  // One that lives will tell its counts, however late.
  return kind === 'units' || (from !== undefined && isAlive(from)) ? { from: 'predecessor' } : { from: 'ledger', isTelling };
}

const inheritedVariables = [
  'PATH',
  'NODE_COMPILE_CACHE',
  'SLUICE_GATEWAY_ENGINE',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
];

/** Nothing of the environment but what a Node process needs: workers face the network. */
function processEnvironment(): Record<string, string> {
  const found = inheritedVariables.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  return Object.fromEntries(found);
}

function describeProcess(adminPort: number): GatewayProcess {
  const identity = identify(process.pid);
  return {
    pid: process.pid,
    startTime: identity?.startTime ?? 'unknown',
    startedAt: timestamp(systemClock.now()),
    adminUrl: `http://127.0.0.1:${adminPort}`,
    version: gatewayVersion,
  };
}

/** One broken request must not end all others: a fault that nothing caught is logged, and the gateway goes on. */
function keepAliveThroughFaults(log: GatewayLog): void {
  process.on('uncaughtException', (error) => log.error({ reason: error.message, stack: error.stack }, 'uncaught exception'));
  process.on('unhandledRejection', (reason) => log.error({ reason: String(reason) }, 'unhandled rejection'));
}

function once(act: (deadlineMs: number) => void): (deadlineMs: number) => void {
  let isDone = false;
  return (deadlineMs) => {
    if (isDone) return;
    isDone = true;
    act(deadlineMs);
  };
}
