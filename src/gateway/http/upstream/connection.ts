import { connect, type OnReadOpts, type Socket } from 'node:net';
import type { RawHeaders } from '../downstream.ts';
import type { Limits } from '../limits.ts';
import { Outbox } from '../outbox.ts';
import { ChunkedDecoder } from '../wire/chunked.ts';
import { fieldsText } from '../wire/fields.ts';
import { parseResponseHead, type ResponseHead } from '../wire/response-head.ts';
import type { BrokenBecause, UpstreamEvents, UpstreamRequest } from './events.ts';

const headEnd = Buffer.from('\r\n\r\n');

/** Every read of every connection lands here and is dealt with, or copied, before the next: a buffer for each read would cost more. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** A header of up to so many bytes is remembered for the next answer: an idle connection keeps no more than that. */
const knownAtMost = 4 * 1024;

/** Told what becomes of the connection when no request has it. */
export interface ConnectionOwner {
  /** Whole and reusable. `idleMs`: how long the instance keeps it at least. */
  idle(connection: UpstreamConnection, idleMs: number): void;
  closed(connection: UpstreamConnection): void;
}

/** One connection to an instance: one request at a time, and what it answers read by the letter. */
export class UpstreamConnection {
  /** It has carried a request before the present one. */
  isReused = false;
  /** A byte of the present answer has come. */
  hasAnswerByte = false;
  /** Monotonic milliseconds until which it may be used again; the pool's. */
  idleUntil = 0;
  bytesRead = 0;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #owner: ConnectionOwner;
  readonly #limits: Limits;
  #events: UpstreamEvents | undefined;
  #request: UpstreamRequest | undefined;
  #answer: ResponseHead | undefined;
  /** The answer before. */
  #known: ResponseHead | undefined;
  #decoder: ChunkedDecoder | undefined;
  #pending: Buffer | undefined;
  #remaining = 0;
  #isSent = false;
  #isClosed = false;
  #isHandedOver = false;

  /** `maySwitch`: the socket may be handed over later, so it is read as a stream. */
  constructor(address: { readonly host: string; readonly port: number }, maySwitch: boolean, limits: Limits, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#limits = limits;
    const { host, port } = address;
    const socket = maySwitch ? connect({ host, port, noDelay: true }) : connect({ host, port, noDelay: true, onread: this.#intoBuffer() });
    if (maySwitch) socket.on('data', (data: Buffer) => this.#read(data));
    this.#socket = socket;
    this.#outbox = new Outbox(socket);
    socket.on('connect', () => this.#events?.reached());
    socket.on('drain', () => this.#events?.upstreamDrained());
    socket.on('end', () => this.#ended());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#close('closed', error.code ?? 'error'));
    socket.on('close', () => this.#close('closed', 'closed'));
  }

  get isConnecting(): boolean {
    return this.#socket.connecting;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get bytesWritten(): number {
    return this.#outbox.written;
  }

  /** Takes the connection for a request, whose events go to `events` until `answerEnd`, `switched`, `broken` or `drop`. */
  assign(events: UpstreamEvents): void {
    this.#events = events;
    this.#answer = undefined;
    this.hasAnswerByte = false;
  }

  /** Sends the header; of a request with a body it may wait for `flush`, so that the first piece leaves with it. */
  send(request: UpstreamRequest): void {
    this.#request = request;
    this.#isSent = request.body === 'none';
    this.#outbox.add(request.head);
    if (this.#isSent) this.#outbox.flushSoon();
  }

  /** A piece of the body; leaves with the next `flush`. */
  write(chunk: Buffer): void {
    if (this.#request?.body !== 'stream') {
      this.#outbox.addBytes(chunk);
      return;
    }
    this.#outbox.add(`${chunk.length.toString(16)}\r\n`);
    this.#outbox.addBytes(chunk);
    this.#outbox.add('\r\n');
  }

  end(trailers: RawHeaders): void {
    this.#isSent = true;
    if (this.#request?.body === 'stream') this.#outbox.add(`0\r\n${fieldsText(trailers)}\r\n`);
  }

  /** False: `upstreamDrained` comes when there is room. */
  flush(): boolean {
    return this.#outbox.flush();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes without telling the request. */
  drop(): void {
    this.#events = undefined;
    this.#close('closed', 'dropped');
  }

  #intoBuffer(): OnReadOpts {
    return {
      buffer: readBuffer,
      callback: (size) => {
        this.#read(readBuffer.subarray(0, size));
        return true;
      },
    };
  }

  #read(data: Buffer): void {
    this.bytesRead += data.length;
    const events = this.#events;
    // An instance that speaks unasked is out of step: the next answer could be a forged one.
    if (events === undefined || this.#outbox.isDue) {
      this.#close('invalid', 'unasked');
      return;
    }
    this.hasAnswerByte = true;
    let input = data;
    if (this.#pending !== undefined) {
      input = Buffer.concat([this.#pending, data]);
      this.#pending = undefined;
    }
    this.#consume(input);
    events.readEnd();
  }

  #consume(data: Buffer): void {
    let at = 0;
    while (at < data.length && !this.#isClosed && !this.#isHandedOver) {
      const events = this.#events;
      if (events === undefined) {
        this.#close('invalid', 'unasked');
        return;
      }
      const answer = this.#answer;
      if (answer === undefined) {
        const next = this.#readHead(data, at);
        if (next === -1) return;
        at = next;
      } else if (answer.framing === 'length') {
        const piece = data.subarray(at, at + this.#remaining);
        at += piece.length;
        this.#remaining -= piece.length;
        events.answerBody(Buffer.from(piece));
        if (this.#remaining === 0 && this.#events !== undefined) this.#complete([], at === data.length);
      } else if (answer.framing === 'chunked') {
        at = this.#readChunks(this.#decoder as ChunkedDecoder, data, at);
      } else {
        events.answerBody(Buffer.from(data.subarray(at)));
        return;
      }
    }
  }

  /** Where the body begins; -1 when the header is not whole, or not one. */
  #readHead(data: Buffer, from: number): number {
    const end = data.indexOf(headEnd, from);
    const size = (end === -1 ? data.length : end + 4) - from;
    if (size > this.#limits.headerBytes) {
      this.#close('invalid', 'header too large');
      return -1;
    }
    if (end === -1) {
      this.#pending = Buffer.from(data.subarray(from));
      return -1;
    }
    const request = this.#request;
    const text = data.toString('latin1', from, end + 2);
    const answer = request && parseResponseHead(text, request.method, this.#limits.headerCount, this.#known);
    if (request === undefined || answer === undefined) {
      this.#close('invalid', 'malformed header');
      return -1;
    }
    const next = end + 4;
    if (answer.status < 200) return this.#interim(request, answer, data, next);
    this.#answer = answer;
    if (text.length <= knownAtMost) this.#known = answer;
    this.#remaining = answer.contentLength;
    if (answer.framing === 'chunked') this.#decoder = new ChunkedDecoder(this.#limits);
    this.#events?.answered(answer);
    const isEmpty = answer.framing === 'none' || (answer.framing === 'length' && answer.contentLength === 0);
    if (isEmpty && this.#events !== undefined) this.#complete([], next === data.length);
    return next;
  }

  #interim(request: UpstreamRequest, answer: ResponseHead, data: Buffer, next: number): number {
    if (answer.status === 101) {
      if (!request.maySwitch) {
        this.#close('invalid', 'switch');
        return -1;
      }
      this.#handOver(answer, Buffer.from(data.subarray(next)));
      return data.length;
    }
    if (answer.status === 100 && request.mayContinue) this.#events?.continued();
    else if (answer.status === 103) this.#events?.hinted(answer.headers);
    return next;
  }

  #readChunks(decoder: ChunkedDecoder, data: Buffer, from: number): number {
    decoder.feed(from === 0 ? data : data.subarray(from));
    for (;;) {
      const step = decoder.next();
      if (step === 'data') this.#events?.answerBody(Buffer.from(decoder.chunk));
      else if (step === 'more') return data.length;
      else if (step === 'done') {
        const next = from + decoder.rest;
        if (this.#events !== undefined) this.#complete(decoder.trailers, next === data.length);
        return next;
      } else {
        this.#close('invalid', 'chunks');
        return data.length;
      }
      if (this.#isClosed) return data.length;
    }
  }

  /** The answer is whole: whether the connection can be used again is decided before the exchange is told. */
  #complete(trailers: RawHeaders, isClean: boolean): void {
    const events = this.#events;
    const answer = this.#answer;
    this.#events = undefined;
    this.#answer = undefined;
    this.#decoder = undefined;
    if (isClean && this.#isSent && answer?.isPersistent === true && !this.#socket.writableNeedDrain) {
      this.isReused = true;
      this.#owner.idle(this, keptFor(answer.keepAliveSeconds));
    } else {
      this.#close('closed', 'not reusable');
    }
    events?.answerEnd(trailers);
  }

  #handOver(answer: ResponseHead, first: Buffer): void {
    const events = this.#events;
    this.#isHandedOver = true;
    this.#events = undefined;
    this.#owner.closed(this);
    const socket = this.#socket;
    for (const event of ['connect', 'data', 'drain', 'end', 'error', 'close']) socket.removeAllListeners(event);
    events?.switched(answer, socket, first);
  }

  /** The instance sends no more. */
  #ended(): void {
    const isWhole = this.#answer?.framing === 'close' && this.#events !== undefined;
    if (isWhole) {
      const events = this.#events;
      this.#complete([], false);
      events?.readEnd();
    } else {
      this.#close('closed', 'ended');
    }
  }

  #close(because: BrokenBecause, code: string): void {
    if (this.#isClosed || this.#isHandedOver) return;
    this.#isClosed = true;
    const events = this.#events;
    this.#events = undefined;
    this.#socket.destroy();
    this.#owner.closed(this);
    events?.broken(because, code);
  }
}

/** Closes a second before the instance says it will, so that the two do not race. */
function keptFor(seconds: number | undefined): number {
  return seconds === undefined ? Number.POSITIVE_INFINITY : (seconds - 1) * 1_000;
}
