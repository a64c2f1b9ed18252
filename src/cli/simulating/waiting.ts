import { note } from '../terminal/note.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Shorter waits need no word where nothing can be drawn again in place. */
const silenceMs = 10_000;

interface Waiting {
  readonly told: (done: number, of: number) => void;
  readonly end: () => void;
}

/** Says how far a long piece of work is: in place on a terminal, now and then elsewhere. */
export function createWaiting({ err, ...terminal }: Terminal, what: string): Waiting {
  let last = performance.now();
  return {
    told(done, of) {
      const line = `${what}: ${done} of ${of} rollouts`;
      if (err.live) err.write(`\r${err.colors.dim(line)}\u001b[K`);
      else if (performance.now() - last > silenceMs) {
        last = performance.now();
        note({ err, ...terminal }, line);
      }
    },
    end() {
      if (err.live) err.write('\r\u001b[K');
    },
  };
}
