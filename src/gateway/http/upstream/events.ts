import type { Socket } from 'node:net';
import type { RawHeaders } from '../downstream.ts';
import type { ResponseHead } from '../wire/response-head.ts';

/** `invalid`: what came is not HTTP. `closed`: the connection could not be made or ended. */
export type BrokenBecause = 'invalid' | 'closed';

/** What becomes of a request to an instance. Of `answered`, `switched` and `broken` exactly one comes first. */
export interface UpstreamEvents {
  /** The connection exists; not a byte of the request has been sent. Only for a connection that was made for it. */
  reached(): void;
  /** The instance asked for the body (100 Continue). */
  continued(): void;
  /** 103. */
  hinted(headers: RawHeaders): void;
  answered(answer: ResponseHead): void;
  answerBody(chunk: Buffer): void;
  /** The connection has been given back or closed: it is no longer the exchange's. */
  answerEnd(trailers: RawHeaders): void;
  /** All that came at one moment has been told. */
  readEnd(): void;
  /** 101: the socket is the exchange's now, without listeners. */
  switched(answer: ResponseHead, socket: Socket, first: Buffer): void;
  /** More of the body can be written. */
  upstreamDrained(): void;
  /** After `answered`: the answer is not whole. The connection is closed. */
  broken(because: BrokenBecause, code: string): void;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Request line, field lines and the empty line. */
  readonly head: string;
  readonly body: 'none' | 'length' | 'stream';
  readonly mayContinue: boolean;
  readonly maySwitch: boolean;
}
