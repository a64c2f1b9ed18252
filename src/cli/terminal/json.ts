import type { Terminal } from './terminal.ts';

/** The one document of a command under `--json`. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** One document of a stream under `--json`. */
export function printJsonLine(terminal: Terminal, value: unknown): void {
  terminal.out.write(`${JSON.stringify(value)}\n`);
}
