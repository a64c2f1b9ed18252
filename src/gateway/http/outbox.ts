import type { Socket } from 'node:net';

/** A piece of at most so many bytes is copied, so that it leaves in one write with what is before and after it. */
const smallPiece = 4_096;

/** Gathers what is to be written at one moment, so that a header and the body that came with it are one write. */
export class Outbox {
  readonly #socket: Socket;
  #text = '';
  #isCorked = false;
  /** Bytes handed to it so far. */
  written = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
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

  #writeText(): void {
    const text = this.#text;
    this.#text = '';
    this.#socket.write(text, 'latin1');
  }
}
