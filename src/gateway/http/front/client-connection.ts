import type { Socket } from 'node:net';
import { refusal, type Refusal } from '../answer.ts';
import type { Downstream, Exchange, RawHeaders, RequestHead } from '../downstream.ts';
import type { Engine } from '../engine.ts';
import type { Side } from '../exchange/admit.ts';
import { createExchange } from '../exchange/exchange.ts';
import { Outbox, type Sender } from '../outbox.ts';
import { fieldsText } from '../wire/fields.ts';
import type { RequestOutcome } from '../wire/request-head.ts';
import { isKept } from '../wire/response-head.ts';
import { answerFraming, type AnswerFraming, answerText, refusalText } from './answer-text.ts';
import { plainAddress, refusalOf, requestOf } from './request-of.ts';
import { RequestReader, type RequestSink } from './request-reader.ts';
import { splice } from './splice.ts';

/** What the connections of one listener share. */
export interface ConnectionHome {
  readonly engine: Engine;
  readonly side: Side;
  /** Connections end after their current answer. */
  isRetired(): boolean;
  closed(connection: ClientConnection): void;
}

/** Bytes of an unwanted body, or sent after a last answer, that are read so that the client gets to see the answer. */
const droppedAtMost = 1024 * 1024;
/** How long the client may take to close its side after the last answer. */
const lingerMs = 2_000;

/** One connection of a client, speaking HTTP/1: its requests one after the other, in order, each carried by an exchange. */
export class ClientConnection implements Downstream, RequestSink, Sender {
  head!: RequestHead;
  readonly #home: ConnectionHome;
  readonly #engine: Engine;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #reader: RequestReader;
  readonly #isEncrypted: boolean;
  #address: string | undefined;
  #exchange: Exchange | undefined;
  #state: 'open' | 'closing' | 'raw' = 'open';
  #isLast = false;
  #framing: AnswerFraming = 'none';
  #answer: 'none' | 'begun' | 'ended' = 'none';
  #hasContinued = false;
  /** When the present wait (for a header, a byte, the client's end) began. */
  #since: number;
  #dropped = 0;
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
    this.#reader = new RequestReader(socket, home.engine.limits, this);
    this.#since = home.engine.now();
    socket.on('data', (data: Buffer) => this.#read(data));
    socket.on('drain', () => this.#exchange?.drained());
    socket.on('end', () => this.#ended());
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  /** Between two requests, or before the first byte of one. */
  get isIdle(): boolean {
    return this.#state === 'open' && this.#exchange === undefined && this.#reader.mode === 'head' && !this.#reader.hasPending;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(data: Buffer): void {
    this.#bytesIn += data.length;
    if (this.#state === 'closing') {
      this.#drop(data.length);
      return;
    }
    if (this.isIdle) this.#since = this.#engine.now();
    try {
      this.#reader.read(data);
    } catch (error) {
      this.#engine.log.error({ reason: String(error), stack: error instanceof Error ? error.stack : undefined }, 'connection failed');
      this.#socket.destroy();
    }
  }

  // ---- What the reader finds.

  request(parsed: RequestOutcome): void {
    if (parsed.outcome !== 'accepted') {
      this.#refuseAll(refusalOf(parsed));
      return;
    }
    const { expect, connection } = parsed.fields;
    if (expect !== undefined && parsed.minorVersion === 1 && expect.toLowerCase() !== '100-continue') {
      this.#refuseAll(refusal('gateway_expectation_failed', {}));
      return;
    }
    this.#address ??= plainAddress(this.#socket.remoteAddress);
    this.head = requestOf(parsed, this.#address, this.#isEncrypted);
    this.#isLast = !isKept(connection, parsed.minorVersion);
    this.#answer = 'none';
    this.#hasContinued = !this.head.expectsContinue;
    this.#dropped = 0;
    this.#bytesInBefore = this.#bytesIn;
    this.#bytesOutBefore = this.#outbox.written;
    const exchange = createExchange(this.#engine, this.#home.side, this);
    this.#exchange = exchange;
    exchange.begin();
  }

  bodyPiece(piece: Buffer): void {
    if (this.#exchange !== undefined) this.#exchange.body(piece);
    else this.#drop(piece.length);
  }

  bodyEnd(trailers: RawHeaders): void {
    if (this.#exchange === undefined) this.#since = this.#engine.now();
    else this.#exchange.bodyEnd(trailers);
  }

  bodyBroken(): void {
    this.#isLast = true;
    this.#reader.stop();
    if (this.#exchange === undefined) this.#socket.destroy();
    else this.#exchange.bodyBroken();
  }

  unparsable(): void {
    this.#refuseAll(refusal('gateway_request_invalid', { reason: 'it cannot be parsed' }));
  }

  tooLarge(): void {
    this.#refuseAll(refusal('gateway_headers_too_large', {}));
  }

  // ---- What the exchange asks for.

  pause(): void {
    this.#reader.hold();
  }

  resume(): void {
    this.#reader.release();
  }

  continue(): void {
    this.#hasContinued = true;
    if (this.#answer !== 'none') return;
    this.#outbox.add('HTTP/1.1 100 Continue\r\n\r\n');
    this.#outbox.flush();
  }

  hint(headers: RawHeaders): void {
    if (this.#answer !== 'none' || this.head.protocol === 'HTTP/1.0' || headers.length === 0) return;
    this.#outbox.add(`HTTP/1.1 103 Early Hints\r\n${fieldsText(headers)}\r\n`);
    this.#outbox.flush();
  }

  answer(status: number, reason: string, headers: RawHeaders, length: number | 'none', text?: string): void {
    this.#framing = answerFraming(this.head, length);
    if (this.#framing === 'close' || this.#mustEnd()) this.#isLast = true;
    this.#answer = 'begun';
    this.#outbox.add(answerText(this.head, status, reason, headers, text, this.#framing, this.#isLast));
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
    this.#answer = 'ended';
    this.#outbox.flushSoon(this);
  }

  refuse(refused: Refusal, close: boolean): void {
    if (close || this.head.protocol === 'HTTP/1.0' || this.#mustEnd()) this.#isLast = true;
    this.#outbox.add(refusalText(refused, this.head.method, this.#isLast, this.#engine.date()));
    this.#answer = 'ended';
    this.#outbox.flush();
    this.sent();
  }

  abort(): void {
    if (this.#answer !== 'begun' || this.#framing === 'chunked' || this.#framing === 'length') this.#socket.destroy();
    // An answer that ends with its connection would look whole.
    else this.#socket.resetAndDestroy();
  }

  switchTo(headers: RawHeaders, upstream: Socket, first: Buffer): void {
    this.#state = 'raw';
    for (const event of ['data', 'drain', 'end']) this.#socket.removeAllListeners(event);
    this.#socket.on('data', (data: Buffer) => {
      this.#bytesIn += data.length;
    });
    upstream.on('data', (data: Buffer) => {
      this.#outbox.written += data.length;
    });
    this.#outbox.add(`HTTP/1.1 101 Switching Protocols\r\n${fieldsText(headers)}\r\n`);
    this.#outbox.addBytes(first);
    this.#outbox.flush();
    const early = this.#reader.stop();
    if (early.length > 0) upstream.write(early);
    splice(this.#socket, upstream);
  }

  bytesRead(): number {
    return this.#bytesIn - this.#bytesInBefore;
  }

  bytesWritten(): number {
    return this.#outbox.written - this.#bytesOutBefore;
  }

  /** A client that was not told to go on may send its body or not, and one that asked for another protocol may speak it: only closing is unambiguous. */
  #mustEnd(): boolean {
    return !this.#hasContinued || this.head.upgrade !== undefined || this.#engine.isStopping() || this.#home.isRetired();
  }

  /** The socket has the whole answer. */
  sent(): void {
    if (this.#socket.writableLength === 0) this.#answered();
    else this.#socket.write('', 'latin1', () => this.#answered());
  }

  /** The kernel has the whole answer. */
  #answered(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#answer !== 'ended') return;
    this.#exchange = undefined;
    exchange.gone(true);
    if (this.#isLast) {
      this.#linger();
      return;
    }
    this.#since = this.#engine.now();
    this.#reader.next();
  }

  // ---- How it ends.

  /** For what cannot be answered as a request: nothing after it can be trusted to be one. */
  #refuseAll(refused: Refusal): void {
    this.#outbox.add(refusalText(refused, undefined, true, this.#engine.date()));
    this.#outbox.flush();
    this.#linger();
  }

  /** Ends our side and reads on for a while: closing at once would reset the connection before the client has read the answer. */
  #linger(): void {
    this.#state = 'closing';
    this.#since = this.#engine.now();
    this.#reader.stop();
    this.#socket.end();
  }

  #drop(length: number): void {
    this.#dropped += length;
    if (this.#dropped > droppedAtMost) this.#socket.destroy();
  }

  #ended(): void {
    if (this.#state !== 'closing') this.#socket.destroy();
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
    if (this.#exchange !== undefined || this.#state === 'raw') return;
    if (this.#state === 'closing') {
      if (waited > lingerMs) this.#socket.destroy();
    } else if (this.#reader.mode !== 'head') {
      if (this.#bytesIn !== this.#bytesInAtSweep) this.#since = now;
      else if (waited > limits.bodyIdleMs) this.#socket.destroy();
      this.#bytesInAtSweep = this.#bytesIn;
    } else if (this.#reader.hasPending) {
      if (waited > limits.requestHeadMs) this.#refuseAll(refusal('gateway_request_timeout', {}));
    } else if (waited > limits.clientKeepAliveMs) {
      this.#socket.destroy();
    }
  }
}
