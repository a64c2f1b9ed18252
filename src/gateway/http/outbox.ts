import type { Socket } from 'node:net';

/** A piece of at most so many bytes is copied, so that it leaves in one write with what is before and after it. */
const smallPiece = 4_096;

/** Told that all that was in an outbox has been given to its socket. */
export interface Sender {
  sent(): void;
}

/** Gathers what is to be written at one moment, so that a header and the body that came with it are one write. */
export class Outbox {
  readonly #socket: Socket;
  #text = '';
  #isCorked = false;
  #isDue = false;
  #sender: Sender | undefined;
  /** Bytes handed to it so far. */
  written = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** `flushSoon` has been asked for and has not happened yet. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** Characters up to 255 only: each is one byte. */
  add(text: string): void {
    this.written += text.length;
    this.#text += text;
  }

  addBytes(piece: Buffer): void {
    this.written += piece.length;
    if (piece.length <= smallPiece) {
      this.#text += piece.toString('latin1', 0, piece.length);
      return;
    }
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
    }
    if (this.#text !== '') this.#writeText();
    this.#socket.write(piece);
  }

  /** False: the other side is slower than what it is sent; `drain` follows. */
  flush(): boolean {
    if (this.#text !== '') this.#writeText();
    if (this.#isCorked) {
      this.#isCorked = false;
      this.#socket.uncork();
    }
    return !this.#socket.writableNeedDrain;
  }

  /**
   * Flushes once all that has come at this moment, on whatever connection, has been dealt with; then tells `sender`, if the socket is still
   * there. Each write to a process that sleeps wakes it, which costs as much as the write itself: written in a row, the first write wakes it
   * for all of them.
   */
  flushSoon(sender?: Sender): void {
    if (sender !== undefined) this.#sender = sender;
    if (this.#isDue) return;
    this.#isDue = true;
    due.push(this);
    if (due.length === 1) setImmediate(flushDue);
  }

  /** For `flushDue` alone. */
  flushNow(): void {
    const sender = this.#sender;
    this.#isDue = false;
    this.#sender = undefined;
    if (this.#socket.destroyed) return;
    this.flush();
    sender?.sent();
  }

  #writeText(): void {
    const text = this.#text;
    this.#text = '';
    this.#socket.write(text, 'latin1');
  }
}

const due: Outbox[] = [];

/**
 * Sends at once what was to leave once everything of this moment has been dealt with. Not to be called from within an exchange.
 */
export function flushDue(): void {
  let done = 0;
  try {
    // What becomes due meanwhile, by the next request of a connection, is at the end of the list.
    for (; done < due.length; done += 1) due[done]?.flushNow();
  } finally {
    // One that throws must not keep the others from being sent.
    due.splice(0, done + 1);
    if (due.length > 0) setImmediate(flushDue);
  }
}
