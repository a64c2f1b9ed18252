import { isHopeless, parseFields } from './fields.ts';

const state = { size: 0, data: 1, dataEnd: 2, trailers: 3, done: 4 } as const;
type State = (typeof state)[keyof typeof state];

/** What one call of `next` found. `more`: everything given has been read. `broken`: not chunked coding; nothing after it can be trusted. */
export type ChunkStep = 'data' | 'more' | 'done' | 'broken';

/** Bytes of one chunk-size line, extensions included, and of all extensions of a body together. */
const lineAtMost = 256;
const extensionsAtMost = 16 * 1024;
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const quoted = String.raw`"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"`;
/** Size and extensions (section 7.1.1), without the white space that nobody needs. */
const sizeLine = new RegExp(`^([0-9a-fA-F]{1,13})((?:;${token}(?:=(?:${token}|${quoted}))?)*)$`);

/**
 * Decodes chunked coding (RFC 9112 section 7.1) piece by piece. Give it bytes by `feed`, then call `next` until it says `more`, `done` or
 * `broken`; each `data` leaves the piece in `chunk`, a view of what was fed. After `done`, `rest` is where the next message begins.
 */
export class ChunkedDecoder {
  chunk: Buffer = Buffer.alloc(0);
  /** As they came; empty when there were none. */
  trailers: readonly string[] = [];
  #state: State = state.size;
  #input: Buffer = Buffer.alloc(0);
  #at = 0;
  #remaining = 0;
  #line = '';
  #extensions = 0;
  readonly #trailerBytes: number;
  readonly #trailerCount: number;

  constructor(limits: { readonly headerBytes: number; readonly headerCount: number }) {
    this.#trailerBytes = limits.headerBytes;
    this.#trailerCount = limits.headerCount;
  }

  feed(input: Buffer): void {
    this.#input = input;
    this.#at = 0;
  }

  /** Offset in what was fed last. */
  get rest(): number {
    return this.#at;
  }

  next(): ChunkStep {
    for (;;) {
      switch (this.#state) {
        case state.size: {
          const line = this.#readLine(lineAtMost);
          if (typeof line !== 'string') return line.step;
          if (!this.#begin(line)) return 'broken';
          break;
        }
        case state.data: {
          const available = Math.min(this.#remaining, this.#input.length - this.#at);
          if (available === 0) return 'more';
          this.chunk = this.#input.subarray(this.#at, this.#at + available);
          this.#at += available;
          this.#remaining -= available;
          if (this.#remaining === 0) this.#state = state.dataEnd;
          return 'data';
        }
        case state.dataEnd: {
          const line = this.#readLine(2);
          if (typeof line !== 'string') return line.step;
          if (line !== '') return 'broken';
          this.#state = state.size;
          break;
        }
        case state.trailers: {
          const section = this.#readTrailers();
          if (section !== undefined) return section;
          break;
        }
        case state.done:
          return 'done';
      }
    }
  }

  #begin(line: string): boolean {
    const parts = sizeLine.exec(line);
    if (parts === null) return false;
    this.#extensions += (parts[2] as string).length;
    if (this.#extensions > extensionsAtMost) return false;
    this.#remaining = Number.parseInt(parts[1] as string, 16);
    this.#state = this.#remaining === 0 ? state.trailers : state.data;
    return true;
  }

  /** The trailer section ends with the empty line; its lines gather in `#line`, each with its CRLF. */
  #readTrailers(): ChunkStep | undefined {
    const from = this.#at;
    const before = this.#line.length;
    const text = this.#line + this.#input.toString('latin1', from, Math.min(this.#input.length, from + this.#trailerBytes + 4));
    const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (end === -1) {
      if (text.length > this.#trailerBytes || isHopeless(text)) return 'broken';
      this.#line = text;
      this.#at = this.#input.length;
      return 'more';
    }
    const consumed = end === 0 ? 2 : end + 4;
    this.#at = from + consumed - before;
    this.#line = '';
    if (end > 0) {
      const fields = parseFields(text.slice(0, end + 2), 0, this.#trailerCount);
      if (typeof fields === 'string') return 'broken';
      this.trailers = fields;
    }
    this.#state = state.done;
    return undefined;
  }

  /** A line without its CRLF; the part that has come is kept until the rest does. */
  #readLine(atMost: number): string | { readonly step: 'more' | 'broken' } {
    const { length } = this.#input;
    let at = this.#at;
    // What ended the last piece may have been the CR of this line's end.
    let previous = this.#line === '' ? 0 : this.#line.charCodeAt(this.#line.length - 1);
    for (; at < length; at += 1) {
      const byte = this.#input[at] as number;
      if (byte === 10 || previous === 13) {
        if (byte !== 10 || previous !== 13) return brokenLine;
        const line = this.#line + this.#input.toString('latin1', this.#at, at);
        this.#line = '';
        this.#at = at + 1;
        return line.slice(0, -1);
      }
      previous = byte;
      if (this.#line.length + at - this.#at >= atMost) return brokenLine;
    }
    this.#line += this.#input.toString('latin1', this.#at, length);
    this.#at = length;
    return moreOfLine;
  }
}

const brokenLine = { step: 'broken' } as const;
const moreOfLine = { step: 'more' } as const;
