import type { Instance } from '../../balancing/instance.ts';
import { isFailureStatus } from '../../balancing/outliers.ts';
import type { RequestHead } from '../downstream.ts';
import type { Engine, Running } from '../engine.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { BrokenBecause, UpstreamEvents } from '../upstream/events.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import { isRepeatable, isUnseen } from './attempts.ts';
import type { Pair } from './pair.ts';
import { Patience } from './patience.ts';

/** Of an answer that is longer the rest is not worth its bytes: by then it is known how it is going. */
const answerBytesAtMost = 1024 * 1024;

/** What is sent again. */
export interface Copied {
  readonly head: RequestHead;
  /** Request line and header fields. */
  readonly text: string;
  readonly pieces: readonly Buffer[];
  /** How long the request had waited at the door: its copy did not, and is told to have. */
  readonly queuedMs: number;
}

/** One copy on its way to a release that nobody hears. It is tried again where a request would be, and has as long for everything. */
export class Copy implements UpstreamEvents, Running {
  slot = -1;
  readonly #engine: Engine;
  readonly #copied: Copied;
  readonly #pair: Pair;
  readonly #left: Instance[];
  readonly #startedAt: number;
  readonly #patience: Patience;
  #instance: Instance | undefined;
  #connection: UpstreamConnection | undefined;
  #tries = 0;
  #status = 0;
  #answeredBytes = 0;

  /** `instances`: those to try, in this order. */
  constructor(engine: Engine, copied: Copied, instances: readonly Instance[], pair: Pair) {
    this.#engine = engine;
    this.#copied = copied;
    this.#pair = pair;
    this.#left = instances.slice(0, engine.limits.attempts);
    this.#startedAt = engine.now();
    this.#patience = new Patience(this.#startedAt);
  }

  start(): void {
    this.#engine.mirrored.add(this);
    this.#attempt();
  }

  #attempt(): void {
    const next = this.#left.shift();
    if (next === undefined) {
      this.#end(true);
      return;
    }
    this.#instance = next;
    this.#engine.dispatch.acquire(next);
    this.#connect(next, this.#engine.pools.take(next));
  }

  #connect(instance: Instance, kept: UpstreamConnection | undefined): void {
    this.#tries += 1;
    this.#connection = kept ?? this.#engine.pools.open(instance, false);
    this.#connection.assign(this);
    if (kept === undefined) this.#patience.enter('connecting', this.#engine.now());
    else this.reached();
  }

  reached(): void {
    const { head, text, pieces } = this.#copied;
    this.#patience.enter('waiting', this.#engine.now());
    this.#connection?.send({ method: head.method, head: text, body: head.body, mayContinue: false, maySwitch: false });
    if (head.body === 'none') return;
    for (const piece of pieces) this.#connection?.write(piece);
    this.#connection?.end([]);
    this.#connection?.flush();
  }

  answered({ status }: ResponseHead): void {
    this.#status = status;
    this.#report(isFailureStatus(status) ? 'failing' : 'answered');
    this.#patience.enter('answering', this.#engine.now());
  }

  answerBody(chunk: Buffer): void {
    this.#answeredBytes += chunk.length;
    if (this.#answeredBytes > answerBytesAtMost) this.#end(false);
  }

  answerEnd(): void {
    this.#connection = undefined;
    this.#end(false);
  }

  broken(_because: BrokenBecause, _code: string): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#patience.phase === 'connecting') {
      this.#tryNext();
      return;
    }
    const { head, pieces } = this.#copied;
    const instance = this.#instance;
    if (this.#status === 0 && connection && instance && isUnseen(connection) && isRepeatable(head, pieces.length > 0)) {
      if (this.#tries < this.#engine.limits.attempts) {
        this.#connect(instance, undefined);
        return;
      }
    }
    if (this.#status === 0) this.#report('reset');
    this.#end(true);
  }

  /** Whom it cannot reach it tries no more. */
  #tryNext(): void {
    this.#report('unreachable');
    this.#release();
    if (this.#tries < this.#engine.limits.attempts) this.#attempt();
    else this.#end(true);
  }

  expire(now: number): void {
    if (this.#pair.isOver) {
      this.terminate();
      return;
    }
    if (this.#pair.hasLost(this.#elapsed(now))) {
      this.#end(true);
      return;
    }
    const moved = this.#connection === undefined ? 0 : this.#connection.bytesRead + this.#connection.bytesWritten;
    switch (this.#patience.check(this.#engine.limits, moved, true, now)) {
      case 'connection':
        this.#tryNext();
        return;
      case 'instance':
        this.#report('reset');
        this.#end(true);
        return;
      case 'client':
      case 'stream':
        this.#end(true);
        return;
      case undefined:
        return;
    }
  }

  terminate(): void {
    this.#pair.drop();
    this.#end(true);
  }

  #report(outcome: 'answered' | 'failing' | 'unreachable' | 'reset'): void {
    if (this.#instance !== undefined) this.#engine.dispatch.report(this.#instance, outcome);
  }

  #elapsed(now: number): number {
    return now - this.#startedAt + this.#copied.queuedMs;
  }

  #release(): void {
    const dropped = this.#connection;
    this.#connection = undefined;
    dropped?.drop();
    const held = this.#instance;
    this.#instance = undefined;
    if (held !== undefined) this.#engine.dispatch.release(held);
  }

  #end(isBroken: boolean): void {
    this.#release();
    if (!this.#engine.mirrored.delete(this)) return;
    this.#pair.copyEnded({ isError: isBroken || this.#status >= 500, totalMs: this.#elapsed(this.#engine.now()) });
  }

  continued(): void {}
  hinted(): void {}
  readEnd(): void {}
  upstreamDrained(): void {}
  switched(): void {}
}
