import type { Terminal } from './terminal.ts';
import { escapeLines } from './text.ts';

/** A word to the person at the terminal, beside the result. */
export function note(terminal: Terminal, text: string): void {
  terminal.err.write(`${terminal.err.colors.dim(escapeLines(text))}\n`);
}
