import type { Instance } from '../../balancing/instance.ts';
import type { RequestHead } from '../downstream.ts';
import type { Engine, Running } from '../engine.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { UpstreamEvents } from '../upstream/events.ts';
import type { Entered } from './entry.ts';

/** Gathers the body of a request that may be copied. */
export interface MirrorCopy {
  body(chunk: Buffer): void;
  bodyEnd(): void;
  /** The request ended before its body did: no copy of it is sent. */
  bodyBroken(): void;
}

/** Copies under way in one process; what is more is not copied, so that a slow mirror costs no memory. */
const copiesAtMost = 128;
const answerBytesAtMost = 1024 * 1024;
const timeAtMostMs = 30_000;

/**
 * Draws whether the request is copied to the service's mirror. Of one without a body the copy is sent at once, otherwise when the whole body
 * has come and is no larger than the mirror takes. Nobody waits for the copy, and its answer is read and dropped.
 */
export function copyToMirror(engine: Engine, head: RequestHead, { service, target, fields }: Entered): MirrorCopy | undefined {
  const { mirror } = service;
  if (mirror === undefined || head.upgrade !== undefined || head.expectsContinue) return undefined;
  if (head.contentLength > mirror.bodyBytes || engine.mirrored.size >= copiesAtMost) return undefined;
  if (engine.point() * 100 >= mirror.percent) return undefined;
  const { ready } = mirror.backend;
  const instance = ready[Math.floor(engine.point() * ready.length)];
  if (instance === undefined) return undefined;
  const text = `${head.method} ${target} HTTP/1.1\r\nx-sluice-mirrored: 1\r\n${fields}`;
  const pieces: Buffer[] = [];
  let size = 0;
  const send = (): void => new Copy(engine, instance, head, text, pieces).start();
  if (head.body === 'none') {
    send();
    return undefined;
  }
  return {
    body: (chunk) => {
      size += chunk.length;
      if (size <= mirror.bodyBytes) pieces.push(chunk);
      else pieces.length = 0;
    },
    bodyEnd: () => {
      if (size <= mirror.bodyBytes && engine.mirrored.size < copiesAtMost) send();
      size = Number.POSITIVE_INFINITY;
    },
    bodyBroken: () => {
      size = Number.POSITIVE_INFINITY;
    },
  };
}

class Copy implements UpstreamEvents, Running {
  readonly #engine: Engine;
  readonly #instance: Instance;
  slot = -1;
  readonly #head: RequestHead;
  readonly #text: string;
  readonly #pieces: readonly Buffer[];
  readonly #startedAt: number;
  #connection: UpstreamConnection | undefined;
  #answered = 0;

  constructor(engine: Engine, instance: Instance, head: RequestHead, text: string, pieces: readonly Buffer[]) {
    this.#engine = engine;
    this.#instance = instance;
    this.#head = head;
    this.#text = text;
    this.#pieces = pieces;
    this.#startedAt = engine.now();
  }

  start(): void {
    const { dispatch, pools, mirrored } = this.#engine;
    mirrored.add(this);
    dispatch.acquire(this.#instance);
    const kept = pools.take(this.#instance);
    this.#connection = kept ?? pools.open(this.#instance, false);
    this.#connection.assign(this);
    if (kept !== undefined) this.reached();
  }

  reached(): void {
    const { method, body } = this.#head;
    this.#connection?.send({ method, head: this.#text, body, mayContinue: false, maySwitch: false });
    if (body === 'none') return;
    for (const piece of this.#pieces) this.#connection?.write(piece);
    this.#connection?.end([]);
    this.#connection?.flush();
  }

  answerBody(chunk: Buffer): void {
    this.#answered += chunk.length;
    if (this.#answered > answerBytesAtMost) this.terminate();
  }

  answerEnd(): void {
    this.#connection = undefined;
    this.#end();
  }

  broken(): void {
    this.answerEnd();
  }

  expire(now: number): void {
    if (now - this.#startedAt > timeAtMostMs) this.terminate();
  }

  terminate(): void {
    const dropped = this.#connection;
    this.#connection = undefined;
    dropped?.drop();
    this.#end();
  }

  #end(): void {
    if (this.#engine.mirrored.delete(this)) this.#engine.dispatch.release(this.#instance);
  }

  continued(): void {}
  hinted(): void {}
  answered(): void {}
  readEnd(): void {}
  upstreamDrained(): void {}
  switched(): void {}
}
