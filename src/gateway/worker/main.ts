import { extname } from 'node:path';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../effects/clock.ts';
import { identify } from '../../effects/processes.ts';
import { seededRandom, systemRandom } from '../../effects/random.ts';
import { keepCompiled } from '../compile-cache.ts';
import { isGone } from '../folder-watch.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { defaultLimits } from '../http/limits.ts';
import { createIdentifiers } from '../http/trace.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import type { WorkerCounts } from '../measuring/meters.ts';
import { openObserver } from '../measuring/open-observer.ts';
import { gatewayVersion } from '../version.ts';
import { type TakenCounts, workerName } from './counts-of-worker.ts';
import { createCrowding } from './crowding.ts';
import { isOrder, type Notice, type WorkerParameters } from './messages.ts';
import { createOrders } from './orders.ts';
import { outliveMain } from './orphan.ts';
import { createOrphanWord } from './orphan-word.ts';
import { createRegistration } from './registration.ts';
import { createServing } from './serving.ts';

// A worker of the gateway: accepts from the sockets the main process gives it and serves by the table it is told.

/** Streams and WebSockets of a worker whose main process has died have this long to end. */
const orphanDrainMs = 300_000;
const signalDrainMs = 10_000;
const registrationMs = 100;
const orphanWordMs = 500;
const demandMs = 10;
const spendingMs = 2;

const { folder, mainPid, elders, observing: settings } = JSON.parse(argv[2] as string) as WorkerParameters;
const files = gatewayFiles(folder);
const clock = systemClock;
const self = identify(process.pid) ?? { pid: process.pid, startTime: 'unknown' };
const main = identify(mainPid);
const mainEntry = fileURLToPath(new URL(`../main${extname(fileURLToPath(import.meta.url))}`, import.meta.url));

const tell = (notice: Notice, done: () => void = () => {}): void => {
  if (process.connected) process.send?.(notice, undefined, {}, done);
  else done();
};
const logAs =
  (level: 'info' | 'warn' | 'error') =>
  (fields: object, message: string): void =>
    tell({ kind: 'log', level, fields, message });
const log: GatewayLog = { info: logAs('info'), warn: logAs('warn'), error: logAs('error') };

// One broken request must not end all others: a fault that nothing caught is logged, and the worker goes on.
process.on('uncaughtException', (error) => log.error({ reason: error.message, stack: error.stack }, 'uncaught exception'));
process.on('unhandledRejection', (reason) => log.error({ reason: String(reason) }, 'unhandled rejection'));

const observer = openObserver({
  folder,
  worker: String(process.pid),
  settings,
  environment: process.env,
  clock,
  random: systemRandom,
  identifier: createIdentifiers(systemRandom),
  log,
  version: gatewayVersion,
});
const serving = createServing({
  folder,
  clock,
  random: seededRandom(Math.floor(systemRandom.next() * 2 ** 32)),
  identifiers: systemRandom,
  log,
  limits: defaultLimits,
  observer,
  oneOfMany: true,
  // Gathered for a moment: one message for what comes at once.
  onSpending: () => setTimeout(() => tell({ kind: 'spent', spent: serving.takeSpent() }), spendingMs),
  onEjected: (key) => tell({ kind: 'ejected', key }),
});
const registration = createRegistration(files.crew, self, mainPid);
/** What a successor is given: what is accepted from here, and what is only held. */
const sockets = new Map<string, BoundSocket>();
const held = new Map<string, BoundSocket>();
let isLeaving = false;
let outlivesMain = false;

/** `tell`: for one without a main process, whose counts nobody takes. */
const leave = async (deadlineMs: number, tell?: (isFinal: boolean) => void): Promise<void> => {
  isLeaving = true;
  // The queue of what nobody accepts from any more must not go on filling.
  for (const socket of held.values()) socket.close();
  held.clear();
  const drained = serving.drain(deadlineMs);
  const register = (): void => {
    const isOnRecord = registration.write('leaving', serving.report());
    // Where there is a main process it decides how long what runs may take.
    if (!isOnRecord && !process.connected && isGone(files.settings)) exit(0);
  };
  // Who sees that it leaves can read what it has counted.
  tell?.(false);
  const telling = setInterval(() => tell?.(false), orphanWordMs);
  register();
  const registering = setInterval(register, registrationMs);
  await drained;
  clearInterval(telling);
  tell?.(true);
  await observer?.close();
  clearInterval(registering);
  registration.remove();
};
let batches = 0;
let lastTaken: WorkerCounts = { releases: [], queues: [], evidence: [] };
const takenCounts = (isLast?: boolean): TakenCounts => {
  batches += 1;
  lastTaken = { ...serving.takeCounts(isLast), batch: batches };
  return [workerName(self), lastTaken];
};
const succeed = (): never => exit(0);
const fail = (): never => exit(1);
const carryOut = createOrders(
  { ...serving, drain: leave },
  new Map<string, () => unknown>([
    ['report', () => serving.report()],
    ['counts', () => takenCounts()],
  ]),
);

process.on('message', (message, handle) => {
  if (!isOrder(message)) return;
  const { id, order } = message;
  const socket = handle as BoundSocket | undefined;
  if (order.kind === 'open' && socket !== undefined) sockets.set(order.door.address, socket);
  if (order.kind === 'hold' && socket !== undefined) {
    held.get(order.address)?.close();
    if (isLeaving) socket.close();
    else held.set(order.address, socket);
  }
  if (order.kind === 'close') {
    sockets.delete(order.address);
    held.get(order.address)?.close();
    held.delete(order.address);
  }
  if (order.kind === 'outlive') {
    outlivesMain = true;
    keepCompiled();
  }
  // What is free at once is told at once: another worker waits for it.
  if (order.kind === 'shares') setImmediate(tellDemand);
  const afterwards = order.kind === 'drain' ? () => exit(0) : undefined;
  carryOut(order, socket).then(
    (value) => tell({ kind: 'answer', id, value: order.kind === 'drain' ? takenCounts(true) : value }, afterwards),
    (error: unknown) => tell({ kind: 'failed', id, reason: String(error) }, afterwards),
  );
});

const tellDemand = (): void => {
  const demands = serving.demands();
  if (demands.length > 0) tell({ kind: 'demand', demands });
};
const crowding = createCrowding(clock.monotonic(), demandMs);
setInterval(() => {
  tellDemand();
  const change = crowding(clock.monotonic());
  if (change === 'crowded') serving.crowd();
  else if (change === 'calm' && serving.calm() > 0) tell({ kind: 'calm' });
}, demandMs);

process.on('disconnect', () => {
  if (isLeaving) return;
  if (!outlivesMain || sockets.size === 0) exit(0);
  const program = [process.execPath, mainEntry] as const;
  const environment = { ...process.env } as Record<string, string>;
  const isWanted = (): boolean => !isGone(files.settings);
  outliveMain({
    folder,
    main,
    successorFile: files.successor,
    program,
    environment,
    elders,
    sockets: new Map([...sockets, ...held]),
    clock,
    isWanted,
  })
    .then(() => (isWanted() ? leave(orphanDrainMs, createOrphanWord(files.counts, process.pid, lastTaken, takenCounts)) : undefined))
    .then(succeed, fail);
});

// The whole group is signalled, and the main process decides when its workers end; an orphan decides for itself.
const onSignal = (): void => {
  if (process.connected || isLeaving) return;
  leave(signalDrainMs, createOrphanWord(files.counts, process.pid, lastTaken, takenCounts)).then(succeed, fail);
};
process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);
// The main process may have ended before anybody here listened for it.
if (!process.connected) exit(0);
registration.write('serving', serving.report());
