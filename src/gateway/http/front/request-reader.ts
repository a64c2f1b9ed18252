import type { Socket } from 'node:net';
import type { Limits } from '../limits.ts';
import { ChunkedDecoder } from '../wire/chunked.ts';
import { isHopeless } from '../wire/fields.ts';
import { parseRequestHead, type RequestFields, type RequestOutcome } from '../wire/request-head.ts';

/** What a connection is told of what its client sends. */
export interface RequestSink {
  request(parsed: RequestOutcome): void;
  bodyPiece(piece: Buffer): void;
  bodyEnd(trailers: readonly string[]): void;
  bodyBroken(): void;
  /** No header can begin like this. */
  unparsable(): void;
  tooLarge(): void;
}

/**
 * `head`: a request is awaited, or its header is not whole, or the previous one is still being answered. `length`, `chunked`: its body is
 * being read. `stopped`: nothing more is looked at.
 */
type Mode = 'head' | 'length' | 'chunked' | 'stopped';

const headEnd = Buffer.from('\r\n\r\n');
const none: Buffer = Buffer.alloc(0);
/** Bytes of later requests that are read while an earlier one is being answered. */
const readAheadAtMost = 64 * 1024;
/** Fields of up to so many bytes are remembered for the next request: an idle connection keeps no more than that. */
const knownAtMost = 4 * 1024;

/**
 * Cuts what a client sends into requests, one at a time: the next is looked at only after `next`. Holds the socket back when the body is not
 * wanted for now or too much has come ahead of time.
 */
export class RequestReader {
  mode: Mode = 'head';
  readonly #socket: Socket;
  readonly #limits: Limits;
  readonly #sink: RequestSink;
  #decoder: ChunkedDecoder | undefined;
  /** Of the last request. */
  #known: RequestFields | undefined;
  #pending: Buffer = none;
  /** Bytes of `pending` known not to contain the end of a header. */
  #searched = 0;
  #remaining = 0;
  #isAnswering = false;
  #isBusy = false;
  #isHeld = false;
  #isSocketPaused = false;

  constructor(socket: Socket, limits: Limits, sink: RequestSink) {
    this.#socket = socket;
    this.#limits = limits;
    this.#sink = sink;
  }

  /** Some of a request's header, or of a later request, has come. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  read(data: Buffer): void {
    if (this.#pending.length === 0) {
      this.#process(data);
      return;
    }
    const joined = Buffer.concat([this.#pending, data]);
    this.#pending = none;
    this.#process(joined);
  }

  /** The present request has been answered. */
  next(): void {
    this.#isAnswering = false;
    this.#isHeld = false;
    this.#goOn();
  }

  hold(): void {
    this.#isHeld = true;
    if (!this.#isBusy) this.#settle();
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#goOn();
  }

  /** Looks at nothing more; what has come and was not looked at. */
  stop(): Buffer {
    const rest = this.#pending;
    this.mode = 'stopped';
    this.#pending = none;
    this.#decoder = undefined;
    this.#isHeld = false;
    if (!this.#isBusy) this.#settle();
    return rest;
  }

  /** Goes through what has come as far as it can. Asked from within itself to go on it need not: its loop does. */
  #process(data: Buffer): void {
    this.#isBusy = true;
    let at = 0;
    while (at < data.length && !this.#isHeld) {
      const next = this.#step(data, at);
      if (next === -1) break;
      at = next;
    }
    this.#isBusy = false;
    if (this.mode !== 'stopped') this.#pending = at === 0 ? data : at < data.length ? data.subarray(at) : none;
    this.#settle();
  }

  /** Where to go on; -1 when more is needed, or nothing more is to be read for now. */
  #step(data: Buffer, at: number): number {
    if (this.mode === 'head') return this.#isAnswering ? -1 : this.#readHead(data, at);
    if (this.mode === 'chunked') return this.#readChunks(this.#decoder as ChunkedDecoder, data, at);
    if (this.mode === 'stopped') return -1;
    const piece = at === 0 && data.length <= this.#remaining ? data : data.subarray(at, at + this.#remaining);
    this.#remaining -= piece.length;
    const isLast = this.#remaining === 0;
    if (isLast) this.mode = 'head';
    this.#sink.bodyPiece(piece);
    if (isLast) this.#sink.bodyEnd([]);
    return at + piece.length;
  }

  #readHead(data: Buffer, from: number): number {
    // Empty lines before a request are ignored (RFC 9112 section 2.2).
    if (data[from] === 13) {
      if (data.length === from + 1) return -1;
      if (data[from + 1] === 10) return from + 2;
    }
    const end = data.indexOf(headEnd, from + Math.max(0, this.#searched - 3));
    if ((end === -1 ? data.length : end + 4) - from > this.#limits.headerBytes) {
      this.#sink.tooLarge();
      return -1;
    }
    if (end === -1) {
      const looked = from + this.#searched;
      this.#searched = data.length - from;
      const begin = looked > from && data[looked - 1] === 13 ? looked - 1 : looked;
      if (isHopeless(data.toString('latin1', begin))) this.#sink.unparsable();
      return -1;
    }
    this.#searched = 0;
    const parsed = parseRequestHead(data.toString('latin1', from, end + 2), this.#limits.headerCount, this.#known);
    this.#isAnswering = true;
    if (parsed.outcome === 'accepted') {
      if (parsed.fields.text.length <= knownAtMost) this.#known = parsed.fields;
      if (parsed.body === 'length') {
        this.mode = 'length';
        this.#remaining = parsed.contentLength;
      } else if (parsed.body === 'stream') {
        this.mode = 'chunked';
        this.#decoder = new ChunkedDecoder(this.#limits);
      }
    }
    this.#sink.request(parsed);
    return end + 4;
  }

  #readChunks(decoder: ChunkedDecoder, data: Buffer, from: number): number {
    decoder.feed(from === 0 ? data : data.subarray(from));
    for (;;) {
      const step = decoder.next();
      if (step === 'data') this.#sink.bodyPiece(decoder.chunk);
      else if (step === 'more') return data.length;
      else if (step === 'done') {
        this.mode = 'head';
        this.#decoder = undefined;
        this.#sink.bodyEnd(decoder.trailers);
        return from + decoder.rest;
      } else {
        this.#sink.bodyBroken();
        return -1;
      }
      if (this.#isHeld || this.mode !== 'chunked') return from + decoder.rest;
    }
  }

  #goOn(): void {
    if (this.#isBusy) return;
    const data = this.#pending;
    this.#pending = none;
    if (data.length > 0) this.#process(data);
    else this.#settle();
  }

  #settle(): void {
    const isFull = this.#isHeld || this.#pending.length > readAheadAtMost;
    if (isFull === this.#isSocketPaused) return;
    this.#isSocketPaused = isFull;
    if (isFull) this.#socket.pause();
    else this.#socket.resume();
  }
}
