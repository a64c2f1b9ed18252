import type { Socket } from 'node:net';
import type { Refusal } from './answer.ts';

/** Name and value by turns, as they came or are to be sent: `[name, value, name, value, ...]`. Names in any case. */
export type RawHeaders = readonly string[];

/**
 * What has been computed from the fields of a request and the connection it came by, for the next request of that connection with the very
 * same fields. For whoever computes it to write and to read.
 */
export interface FieldsMemo {
  outgoing?: unknown;
}

/** A request as the proxy sees it, checked and without its connection's framing, whatever protocol it came by. */
export interface RequestHead {
  readonly method: string;
  /** As the client wrote it, port included. */
  readonly authority: string;
  /** As `normalizedHost` gives it. */
  readonly host: string;
  /** Origin form: path and query. */
  readonly target: string;
  readonly headers: RawHeaders;
  /** Of `headers`; absent where none is kept. */
  readonly memo?: FieldsMemo;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** `stream`: its end is known only when it comes. */
  readonly body: 'none' | 'length' | 'stream';
  /** Bytes; -1 when unknown. */
  readonly contentLength: number;
  readonly expectsContinue: boolean;
  /** Protocol the client asks to switch to; only of a request without a body. */
  readonly upgrade: string | undefined;
  readonly clientAddress: string;
  readonly isEncrypted: boolean;
}

/**
 * The client's side of one exchange: an HTTP/1.1 request on its connection, or an HTTP/2 stream. The exchange calls it; the side calls the
 * exchange through `DownstreamEvents`. No method throws, whatever state the connection is in; after `gone` all are without effect.
 */
export interface Downstream {
  readonly head: RequestHead;
  /** 100 Continue. */
  continue(): void;
  /** 103. Without headers there is nothing to send. */
  hint(headers: RawHeaders): void;
  /**
   * Begins the answer. `headers` have no hop-by-hop fields, but Content-Length where the length is known; other framing is this side's
   * affair. `length`: bytes of the body, -1 when unknown, `none` when the answer has no body whatever its headers say (HEAD, 204, 304).
   * `text`: the same headers as field lines, where that is at hand.
   */
  answer(status: number, reason: string, headers: RawHeaders, length: number | 'none', text?: string): void;
  /**
   * A piece of the body, sent at once or at the next `flush`. False: enough for now, `drained` comes when there is room. The chunk may be
   * kept and not copied.
   */
  write(chunk: Buffer): boolean;
  /** Nothing more comes at this moment: sends what was held back to be sent together. False as with `write`. Absent: nothing is held back. */
  flush?(): boolean;
  end(trailers: RawHeaders): void;
  /** The whole answer in one go; `close` ends the connection after it where the protocol has one per client. */
  refuse(refusal: Refusal, close: boolean): void;
  /** The answer has begun and cannot be finished: the client must see that it is not whole. */
  abort(): void;
  /**
   * Only where `head.upgrade` can be set: sends the instance's 101 and joins both connections byte by byte until one closes; then `gone`.
   * `first`: what the instance has already sent of the new protocol.
   */
  switchTo?(headers: RawHeaders, upstream: Socket, first: Buffer): void;
  /** Stop and resume reading the request's body. */
  pause(): void;
  resume(): void;
  /** Bytes read from and written to the client for this exchange so far; for idle limits and measuring. */
  bytesRead(): number;
  bytesWritten(): number;
}

/** What the side tells the exchange. */
export interface DownstreamEvents {
  body(chunk: Buffer): void;
  bodyEnd(trailers: RawHeaders): void;
  /** The rest of the body cannot be read: malformed framing. */
  bodyBroken(): void;
  drained(): void;
  /** The client is gone, or the whole answer has been handed to the kernel; `finished` tells which. */
  gone(finished: boolean): void;
}

/** One request on its way, as the client's side sees it: it calls `begin` once, then tells what happens on its side. */
export interface Exchange extends DownstreamEvents {
  begin(): void;
}
