import { argv, exit } from 'node:process';
import { systemClock } from '../../effects/clock.ts';
import { seededRandom, systemRandom } from '../../effects/random.ts';
import { defaultLimits } from '../http/limits.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import { isOrder, type Notice } from './messages.ts';
import { createOrders } from './orders.ts';
import { createServing } from './serving.ts';

// A worker of the gateway: accepts from the sockets the main process gives it and serves by the table it is told.

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
// The whole group is signalled; the main process decides when its workers end.
process.on('SIGTERM', () => {});
process.on('SIGINT', () => {});

const folder = argv[2];
if (folder === undefined) exit(2);
const serving = createServing({
  folder,
  clock: systemClock,
  random: seededRandom(Math.floor(systemRandom.next() * 2 ** 32)),
  identifiers: systemRandom,
  log,
  limits: defaultLimits,
  onEjected: (key) => tell({ kind: 'ejected', key }),
});
const carryOut = createOrders(serving, new Map([['report', () => serving.report()]]));

process.on('message', (message, socket) => {
  if (!isOrder(message)) return;
  const { id, order } = message;
  const afterwards = order.kind === 'drain' ? () => exit(0) : undefined;
  carryOut(order, socket as BoundSocket | undefined).then(
    (value) => tell({ kind: 'answer', id, value }, afterwards),
    (error: unknown) => tell({ kind: 'failed', id, reason: String(error) }, afterwards),
  );
});
process.on('disconnect', () => exit(0));
