import type { Colors } from 'picocolors/types.js';
import pico from 'picocolors';

/** Where a command writes. Results go to `out`, everything else (progress, notes, questions, errors) to `err`. */
export interface Terminal {
  readonly out: Channel;
  readonly err: Channel;
  /** Whether a person is there to answer a question. */
  readonly interactive: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
}

export interface Channel {
  write(text: string): void;
  /** Cursor movements make sense. */
  readonly live: boolean;
  /** Columns to keep within; undefined when nobody looks at lines (a pipe, a file). */
  width(): number | undefined;
  /** Rows of the terminal; 24 where there is none. */
  height(): number;
  readonly colors: Colors;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

interface TerminalSource {
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
}

export function createTerminal(source: TerminalSource): Terminal {
  return {
    out: channel(source.stdout, source.env),
    err: channel(source.stderr, source.env),
    interactive: source.stdin.isTTY === true && source.stderr.isTTY === true && !source.env['CI'],
    environment: source.env,
    directory: source.cwd(),
  };
}

function channel(stream: Stream, environment: TerminalSource['env']): Channel {
  const tty = stream.isTTY === true;
  const dumb = environment['TERM'] === 'dumb';
  return {
    write: (text) => {
      stream.write(text);
    },
    live: tty && !dumb && !environment['CI'],
    width: () => (tty ? stream.columns || 80 : undefined),
    height: () => stream.rows || 24,
    colors: pico.createColors(wantsColor(environment, tty && !dumb)),
  };
}

/** https://no-color.org: any non-empty NO_COLOR wins; then FORCE_COLOR; then whether someone is looking. */
function wantsColor(environment: TerminalSource['env'], looking: boolean): boolean {
  if (environment['NO_COLOR']) return false;
  if (environment['FORCE_COLOR']) return environment['FORCE_COLOR'] !== '0';
  return looking;
}
