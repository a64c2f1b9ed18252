import type { Socket } from 'node:net';
import { refusal, type Refusal } from '../answer.ts';
import type { Downstream, RawHeaders, RequestHead } from '../downstream.ts';
import type { Engine } from '../engine.ts';
import { createExchange, type Exchange } from '../exchange/exchange.ts';
import type { Side } from '../exchange/admit.ts';
import { Outbox } from '../outbox.ts';
import { ChunkedDecoder } from '../wire/chunked.ts';
import { fieldsText, isHopeless } from '../wire/fields.ts';
import { parseRequestHead, type RequestOutcome } from '../wire/request-head.ts';
import { isKept } from '../wire/response-head.ts';
import { answerFraming, type AnswerFraming, answerText, refusalText } from './answer-text.ts';
import { plainAddress, requestOf } from './request-of.ts';
import { splice } from './splice.ts';

/** What the connections of one listener share. */
export interface ConnectionHome {
  readonly engine: Engine;
  readonly side: Side;
  /** Connections end after their current answer. */
  isRetired(): boolean;
  closed(connection: ClientConnection): void;
}

/**
 * `head`: a request is awaited, or its header is not whole, or the previous one is still being answered. `length`, `chunked`: its body is
 * being read; without an exchange it is dropped. `closing`: nothing more is looked at. `raw`: another protocol has the socket.
 */
type Mode = 'head' | 'length' | 'chunked' | 'closing' | 'raw';

const headEnd = Buffer.from('\r\n\r\n');
const none: Buffer = Buffer.alloc(0);
/** Bytes of later requests that are read while an earlier one is being answered. */
const readAheadAtMost = 64 * 1024;
/** Bytes of an unwanted body, or sent after a last answer, that are read so that the client gets to see the answer. */
const droppedAtMost = 1024 * 1024;
/** How long the client may take to close its side after the last answer. */
const lingerMs = 2_000;

/** One connection of a client, speaking HTTP/1: its requests one after the other, in order, each carried by an exchange. */
export class ClientConnection implements Downstream {
  head!: RequestHead;
  readonly #home: ConnectionHome;
  readonly #engine: Engine;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #isEncrypted: boolean;
  #address: string | undefined;
  #mode: Mode = 'head';
  #exchange: Exchange | undefined;
  #decoder: ChunkedDecoder | undefined;
  #pending: Buffer = none;
  /** Bytes of `pending` known not to contain the end of a header. */
  #searched = 0;
  #remaining = 0;
  #dropped = 0;
  #isBusyReading = false;
  #isHeld = false;
  #isSocketPaused = false;
  #isLast = false;
  #framing: AnswerFraming = 'none';
  #answer: 'none' | 'begun' | 'ended' = 'none';
  #hasContinued = false;
  /** When the present wait (for a header, a byte, the client's end) began. */
  #since: number;
  #bytesIn = 0;
  #bytesInBefore = 0;
  #bytesOutBefore = 0;
  #bytesInAtSweep = 0;

  constructor(home: ConnectionHome, socket: Socket, isEncrypted: boolean) {
    this.#home = home;
    this.#engine = home.engine;
    this.#socket = socket;
    this.#isEncrypted = isEncrypted;
    this.#outbox = new Outbox(socket);
    this.#since = home.engine.now();
    socket.on('data', (data: Buffer) => this.#read(data));
    socket.on('drain', () => this.#exchange?.drained());
    socket.on('end', () => this.#ended());
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  /** Between two requests, or before the first byte of one. */
  get isIdle(): boolean {
    return this.#mode === 'head' && this.#exchange === undefined && this.#pending.length === 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // ---- reading

  #read(data: Buffer): void {
    this.#bytesIn += data.length;
    if (this.#mode === 'closing') {
      this.#drop(data.length);
      return;
    }
    if (this.#pending.length === 0) {
      if (this.#mode === 'head' && this.#exchange === undefined) this.#since = this.#engine.now();
      this.#process(data);
    } else {
      const joined = Buffer.concat([this.#pending, data]);
      this.#pending = none;
      this.#process(joined);
    }
  }

  /** Goes through what has come as far as it can; the rest is kept. Called again from within itself it does nothing: the loop goes on. */
  #process(data: Buffer): void {
    this.#isBusyReading = true;
    let at = 0;
    while (at < data.length && !this.#isHeld) {
      const next = this.#step(data, at);
      if (next === -1) break;
      at = next;
    }
    this.#isBusyReading = false;
    if (this.#mode === 'closing' || this.#mode === 'raw') {
      if (this.#mode === 'closing') this.#drop(data.length - at);
      return;
    }
    this.#pending = at === 0 ? data : at < data.length ? data.subarray(at) : none;
    this.#settleReading();
  }

  /** Where to go on; -1 when more is needed, or nothing more is to be read for now. */
  #step(data: Buffer, at: number): number {
    switch (this.#mode) {
      case 'head':
        return this.#exchange === undefined ? this.#readHead(data, at) : -1;
      case 'length': {
        const piece = data.subarray(at, at + this.#remaining);
        this.#remaining -= piece.length;
        this.#bodyPiece(piece);
        if (this.#remaining === 0) this.#bodyEnd([]);
        return at + piece.length;
      }
      case 'chunked':
        return this.#readChunks(this.#decoder as ChunkedDecoder, data, at);
      case 'closing':
      case 'raw':
        return -1;
    }
  }

  #readHead(data: Buffer, from: number): number {
    // Empty lines before a request are ignored (RFC 9112 section 2.2).
    if (data[from] === 13 && data[from + 1] === 10) return from + 2;
    const { limits } = this.#engine;
    const end = data.indexOf(headEnd, from + Math.max(0, this.#searched - 3));
    if ((end === -1 ? data.length : end + 4) - from > limits.headerBytes) {
      this.#refuseAll(refusal('gateway_headers_too_large', {}));
      return -1;
    }
    if (end === -1) {
      const looked = from + this.#searched;
      this.#searched = data.length - from;
      const begin = looked > from && data[looked - 1] === 13 ? looked - 1 : looked;
      if (isHopeless(data.toString('latin1', begin, data.length))) this.#refuseAll(unparsable());
      return -1;
    }
    this.#searched = 0;
    const parsed = parseRequestHead(data.toString('latin1', from, end + 2), limits.headerCount);
    this.#begin(parsed);
    return end + 4;
  }

  #begin(parsed: RequestOutcome): void {
    if (parsed.outcome !== 'accepted') {
      this.#refuseAll(refusalOf(parsed));
      return;
    }
    if (parsed.expect !== undefined && parsed.minorVersion === 1 && parsed.expect.toLowerCase() !== '100-continue') {
      this.#refuseAll(refusal('gateway_expectation_failed', {}));
      return;
    }
    this.#address ??= plainAddress(this.#socket.remoteAddress);
    this.head = requestOf(parsed, this.#address, this.#isEncrypted);
    this.#isLast = !isKept(parsed.connection, parsed.minorVersion);
    this.#answer = 'none';
    this.#hasContinued = !this.head.expectsContinue;
    this.#dropped = 0;
    this.#bytesInBefore = this.#bytesIn;
    this.#bytesOutBefore = this.#outbox.written;
    if (parsed.body === 'length') {
      this.#mode = 'length';
      this.#remaining = parsed.contentLength;
    } else if (parsed.body === 'stream') {
      this.#mode = 'chunked';
      this.#decoder = new ChunkedDecoder(this.#engine.limits);
    }
    const exchange = createExchange(this.#engine, this.#home.side, this);
    this.#exchange = exchange;
    exchange.begin();
  }

  #readChunks(decoder: ChunkedDecoder, data: Buffer, from: number): number {
    decoder.feed(from === 0 ? data : data.subarray(from));
    for (;;) {
      const step = decoder.next();
      if (step === 'data') this.#bodyPiece(decoder.chunk);
      else if (step === 'more') return data.length;
      else if (step === 'done') {
        this.#bodyEnd(decoder.trailers);
        return from + decoder.rest;
      } else {
        this.#isLast = true;
        this.#mode = 'closing';
        if (this.#exchange === undefined) this.#socket.destroy();
        else this.#exchange.bodyBroken();
        return -1;
      }
      if (this.#isHeld || this.#mode !== 'chunked') return from + decoder.rest;
    }
  }

  #bodyPiece(piece: Buffer): void {
    if (this.#exchange !== undefined) this.#exchange.body(piece);
    else this.#drop(piece.length);
  }

  #bodyEnd(trailers: RawHeaders): void {
    this.#mode = 'head';
    this.#decoder = undefined;
    this.#since = this.#engine.now();
    this.#exchange?.bodyEnd(trailers);
  }

  /** Reads of what nobody wants are bounded. */
  #drop(length: number): void {
    this.#dropped += length;
    if (this.#dropped > droppedAtMost) this.#socket.destroy();
  }

  #settleReading(): void {
    const isFull = this.#isHeld || this.#pending.length > readAheadAtMost;
    if (isFull === this.#isSocketPaused) return;
    this.#isSocketPaused = isFull;
    if (isFull) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Goes on with what was kept, unless that is being done already. */
  #goOn(): void {
    if (this.#isBusyReading) return;
    const data = this.#pending;
    this.#pending = none;
    if (data.length > 0) this.#process(data);
    else this.#settleReading();
  }

  pause(): void {
    this.#isHeld = true;
    if (!this.#isBusyReading) this.#settleReading();
  }

  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#goOn();
  }

  // ---- answering

  continue(): void {
    this.#hasContinued = true;
    if (this.#answer !== 'none') return;
    this.#outbox.add('HTTP/1.1 100 Continue\r\n\r\n');
    this.#outbox.flush();
  }

  hint(headers: RawHeaders): void {
    if (this.#answer !== 'none' || this.head.protocol === 'HTTP/1.0') return;
    this.#outbox.add(`HTTP/1.1 103 Early Hints\r\n${fieldsText(headers)}\r\n`);
    this.#outbox.flush();
  }

  answer(status: number, reason: string, headers: RawHeaders, length: number | 'none'): void {
    this.#framing = answerFraming(this.head, length);
    if (this.#framing === 'close' || !this.#hasContinued || this.head.upgrade !== undefined || this.#isEnding()) this.#isLast = true;
    this.#answer = 'begun';
    this.#outbox.add(answerText(this.head, status, reason, headers, this.#framing, this.#isLast));
  }

  write(chunk: Buffer): boolean {
    if (this.#framing === 'chunked') {
      this.#outbox.add(`${chunk.length.toString(16)}\r\n`);
      this.#outbox.addBytes(chunk);
      this.#outbox.add('\r\n');
    } else {
      this.#outbox.addBytes(chunk);
    }
    return !this.#socket.writableNeedDrain;
  }

  flush(): boolean {
    return this.#outbox.flush();
  }

  end(trailers: RawHeaders): void {
    if (this.#framing === 'chunked') this.#outbox.add(`0\r\n${fieldsText(trailers)}\r\n`);
    this.#endAnswer();
  }

  refuse(refused: Refusal, close: boolean): void {
    if (close || !this.#hasContinued || this.head.upgrade !== undefined || this.#isEnding() || this.head.protocol === 'HTTP/1.0') {
      this.#isLast = true;
    }
    this.#outbox.add(refusalText(refused, this.head.method, this.#isLast, this.#engine.date()));
    this.#endAnswer();
  }

  abort(): void {
    if (this.#answer !== 'begun' || this.#framing === 'chunked' || this.#framing === 'length') this.#socket.destroy();
    // An answer that ends with its connection would look whole.
    else this.#socket.resetAndDestroy();
  }

  switchTo(headers: RawHeaders, upstream: Socket, first: Buffer): void {
    const client = this.#socket;
    this.#mode = 'raw';
    client.removeAllListeners('data');
    client.removeAllListeners('drain');
    client.removeAllListeners('end');
    client.on('data', (data: Buffer) => {
      this.#bytesIn += data.length;
    });
    upstream.on('data', (data: Buffer) => {
      this.#outbox.written += data.length;
    });
    this.#outbox.add(`HTTP/1.1 101 Switching Protocols\r\n${fieldsText(headers)}\r\n`);
    this.#outbox.addBytes(first);
    this.#outbox.flush();
    if (this.#pending.length > 0) upstream.write(this.#pending);
    this.#pending = none;
    splice(client, upstream);
  }

  bytesRead(): number {
    return this.#bytesIn - this.#bytesInBefore;
  }

  bytesWritten(): number {
    return this.#outbox.written - this.#bytesOutBefore;
  }

  #isEnding(): boolean {
    return this.#engine.isStopping() || this.#home.isRetired();
  }

  #endAnswer(): void {
    this.#answer = 'ended';
    this.#outbox.flush();
    if (this.#socket.writableLength === 0) this.#answered();
    else this.#socket.write('', 'latin1', () => this.#answered());
  }

  /** The kernel has the whole answer. */
  #answered(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#answer !== 'ended') return;
    this.#exchange = undefined;
    this.#isHeld = false;
    exchange.gone(true);
    if (this.#isLast) {
      this.#linger();
      return;
    }
    this.#since = this.#engine.now();
    this.#goOn();
  }

  // ---- ending

  /** For what cannot be answered as a request: nothing after it can be trusted to be one. */
  #refuseAll(refused: Refusal): void {
    this.#outbox.add(refusalText(refused, undefined, true, this.#engine.date()));
    this.#outbox.flush();
    this.#linger();
  }

  /** Ends our side and reads on for a while: closing at once would reset the connection before the client has read the answer. */
  #linger(): void {
    this.#mode = 'closing';
    this.#pending = none;
    this.#since = this.#engine.now();
    this.#isHeld = false;
    this.#settleReading();
    this.#socket.end();
  }

  #ended(): void {
    if (this.#mode !== 'closing') this.#socket.destroy();
  }

  #closed(): void {
    this.#home.closed(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.gone(false);
  }

  /** Limits between requests; those within one are the exchange's. */
  expire(now: number): void {
    const { limits } = this.#engine;
    const waited = now - this.#since;
    if (this.#mode === 'closing') {
      if (this.#exchange === undefined && waited > lingerMs) this.#socket.destroy();
      return;
    }
    if (this.#exchange !== undefined || this.#mode === 'raw') return;
    if (this.#mode !== 'head') {
      if (this.#bytesIn !== this.#bytesInAtSweep) this.#since = now;
      else if (waited > limits.bodyIdleMs) this.#socket.destroy();
      this.#bytesInAtSweep = this.#bytesIn;
    } else if (this.#pending.length > 0) {
      if (waited > limits.requestHeadMs) this.#refuseAll(refusal('gateway_request_timeout', {}));
    } else if (waited > limits.clientKeepAliveMs) {
      this.#socket.destroy();
    }
  }
}

function unparsable(): Refusal {
  return refusal('gateway_request_invalid', { reason: 'it cannot be parsed' });
}

function refusalOf(parsed: Exclude<RequestOutcome, { outcome: 'accepted' }>): Refusal {
  if (parsed.outcome === 'invalid') return refusal('gateway_request_invalid', { reason: parsed.reason });
  if (parsed.outcome === 'unsupported') return refusal('gateway_request_unsupported', { what: parsed.what });
  return refusal('gateway_headers_too_large', {});
}
