import { type ChildProcess, fork } from 'node:child_process';
import { identify, type ProcessIdentity } from '../../effects/processes.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { isNotice, type Notice, type NumberedOrder, type Order, type WorkerParameters } from './messages.ts';

export type Answer =
  | { readonly outcome: 'answered'; readonly value: unknown }
  | { readonly outcome: 'failed'; readonly reason: string }
  /** It ended before it answered. */
  | { readonly outcome: 'gone' };

/** One worker process from the main process's side. */
export interface WorkerLink {
  readonly identity: ProcessIdentity;
  /** Never rejects; answers come in the order of what was asked. */
  ask(order: Order, socket?: BoundSocket): Promise<Answer>;
  /** At once and without mercy. */
  kill(): void;
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;
}

export interface WorkerSpec {
  /** The module it runs. */
  readonly entry: string;
  readonly parameters: WorkerParameters;
  readonly environment: Readonly<Record<string, string>>;
  readonly onNotice: (notice: Exclude<Notice, { kind: 'answer' | 'failed' }>) => void;
}

/** Starts a worker. It is of this process's group, so that both end together when the group is ended. */
export function startWorker({ entry, parameters, environment, onNotice }: WorkerSpec): WorkerLink {
  const child: ChildProcess = fork(entry, [JSON.stringify(parameters)], {
    serialization: 'advanced',
    execArgv: [],
    env: { ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  let isGone = false;

  const gone = new Promise<void>((resolve) => {
    const end = (): void => {
      if (isGone) return;
      isGone = true;
      for (const settle of waiting.values()) settle({ outcome: 'gone' });
      waiting.clear();
      resolve();
    };
    // What it said last may still be on its way.
    child.on('exit', () => (child.connected ? child.once('disconnect', end) : end()));
    // One that could not even be started never exits.
    child.on('error', () => {
      if (child.pid === undefined) end();
    });
  });

  child.on('message', (message) => {
    if (!isNotice(message)) return;
    if (message.kind !== 'answer' && message.kind !== 'failed') {
      onNotice(message);
      return;
    }
    const settle = waiting.get(message.id);
    waiting.delete(message.id);
    settle?.(message.kind === 'answer' ? { outcome: 'answered', value: message.value } : { outcome: 'failed', reason: message.reason });
  });

  return {
    identity: (child.pid === undefined ? undefined : identify(child.pid)) ?? { pid: child.pid ?? 0, startTime: 'ended' },
    ask: (order, socket) =>
      new Promise((resolve) => {
        if (isGone) {
          resolve({ outcome: 'gone' });
          return;
        }
        lastId += 1;
        waiting.set(lastId, resolve);
        const message: NumberedOrder = { id: lastId, order };
        // What cannot be sent cannot be answered either: `gone` settles it.
        child.send(message, socket as never, {}, () => {});
      }),
    kill: () => {
      child.kill('SIGKILL');
    },
    gone,
  };
}
