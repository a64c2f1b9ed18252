import type { BoundSocket } from '../listening/bound-socket.ts';
import { type CountsHeir, countsHeir } from '../measuring/handed-counts.ts';
import { type HandOverMessage, handOverProtocol, type SuccessorMessage } from './hand-over.ts';

const inheritanceMs = 10_000;

export interface Inheritance {
  /** By `host:port`. */
  readonly sockets: ReadonlyMap<string, BoundSocket>;
  /** Whose counts go on here. */
  readonly counts: CountsHeir | undefined;
}

export const nothingInherited: Inheritance = { sockets: new Map(), counts: undefined };

/** Receives what the gateway that is to be replaced hands over. Rejects when it does not come or is not understood. */
export function receiveInheritance(): Promise<Inheritance> {
  return new Promise((resolve, reject) => {
    const sockets = new Map<string, BoundSocket>();
    let counts: CountsHeir | undefined;
    let expected = -1;
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      process.off('message', receive);
      process.off('disconnect', lost);
      if (error) reject(error);
      else resolve({ sockets, counts });
    };
    const lost = (): void => finish(new Error('the gateway that was to be replaced has ended'));
    const receive = (message: unknown, socket: unknown): void => {
      if (!isHandOver(message)) return;
      if (message.kind === 'sluice-socket') sockets.set(message.address, socket as BoundSocket);
      else if (message.protocol === handOverProtocol) {
        expected = message.sockets;
        counts = countsHeir.safeParse(message.counts).data;
      } else finish(new Error(`the gateway hands over by protocol ${message.protocol}, and only ${handOverProtocol} is known here`));
      if (sockets.size === expected) finish();
    };
    const timer = setTimeout(() => finish(new Error('nothing was handed over')), inheritanceMs);
    process.on('message', receive);
    process.on('disconnect', lost);
  });
}

/** Tells the one who handed over that this process serves. */
export function tellServing(): void {
  const message: SuccessorMessage = { kind: 'sluice-serving', takesUnits: true };
  if (process.connected) process.send?.(message);
}

function isHandOver(message: unknown): message is HandOverMessage {
  return (
    typeof message === 'object' &&
    message !== null &&
    'kind' in message &&
    (message.kind === 'sluice-inherit' || message.kind === 'sluice-socket')
  );
}
