import { spawn } from 'node:child_process';
import type { Clock } from '../../effects/clock.ts';
import { identify, isAlive, type ProcessIdentity, terminateGroup } from '../../effects/processes.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { CountsHeir } from '../measuring/handed-counts.ts';

/** Version of the messages below; a successor that knows another one refuses, and the gateway stays as it is. */
export const handOverProtocol = 1;

/** What the one who hands over tells his successor, as JSON: the two may be of different versions. */
export type HandOverMessage =
  | { readonly kind: 'sluice-inherit'; readonly protocol: number; readonly sockets: number; readonly counts?: CountsHeir }
  /** Accompanied by the socket. */
  | { readonly kind: 'sluice-socket'; readonly address: string };

/** What a successor answers once its workers accept. */
export interface SuccessorMessage {
  readonly kind: 'sluice-serving';
  /** It goes on with the memory of units. Absent in what an older one says: then who hands over goes on counting them. */
  readonly takesUnits?: boolean;
}

export interface HandOver {
  /** argv of a main process, without the folder. */
  readonly program: readonly [string, ...string[]];
  readonly folder: string;
  readonly sockets: ReadonlyMap<string, BoundSocket>;
  /** Whose counts the successor goes on with; absent: it begins at zero. */
  readonly counts?: CountsHeir;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly limitMs: number;
}

export type HandedOver =
  | { readonly outcome: 'serving'; readonly successor: ProcessIdentity; readonly takesUnits: boolean }
  /** No successor is left. */
  | { readonly outcome: 'failed'; readonly reason: string };

/** Starts another main process, in a group of its own, and gives it the sockets. Resolves once its workers accept, or it has failed. */
export async function handOver({ program, folder, sockets, counts, environment, clock, limitMs }: HandOver): Promise<HandedOver> {
  const [command, ...parameters] = program;
  const child = spawn(command, [...parameters, folder, '--take-over'], {
    detached: true,
    env: { ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const done = new AbortController();
  const outcome = await new Promise<SuccessorMessage | { readonly reason: string }>((resolve) => {
    child.on('error', (error) => resolve({ reason: error.message }));
    child.on('exit', (code, signal) => resolve({ reason: `it ended with ${signal ?? `code ${code}`}` }));
    child.on('message', (message) => {
      if (isServing(message)) resolve(message);
    });
    clock.sleep(limitMs, done.signal).then(
      () => resolve({ reason: `it does not serve after ${limitMs} ms` }),
      () => {},
    );
    const send = (message: HandOverMessage, socket?: BoundSocket): void => {
      // What cannot be sent shows as its end.
      child.send(message, socket as never, {}, () => {});
    };
    send({ kind: 'sluice-inherit', protocol: handOverProtocol, sockets: sockets.size, ...(counts && { counts }) });
    for (const [address, socket] of sockets) send({ kind: 'sluice-socket', address }, socket);
  });
  done.abort(new Error('decided'));
  const successor = child.pid === undefined ? undefined : identify(child.pid);
  if ('kind' in outcome && successor !== undefined) {
    child.unref();
    if (child.connected) child.disconnect();
    return { outcome: 'serving', successor, takesUnits: outcome.takesUnits === true };
  }
  if (successor !== undefined && isAlive(successor)) await terminateGroup(successor, 500, clock);
  return { outcome: 'failed', reason: 'kind' in outcome ? 'it ended at once' : outcome.reason };
}

function isServing(message: unknown): message is SuccessorMessage {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'sluice-serving';
}
