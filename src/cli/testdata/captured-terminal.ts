import pico from 'picocolors';
import type { Channel, Terminal } from '../terminal/terminal.ts';

export interface CapturedTerminal extends Terminal {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** A terminal that keeps what is written: a pipe without colour unless told otherwise. */
export function capturedTerminal(
  directory: string,
  settings: { environment?: Record<string, string>; interactive?: boolean; width?: number; color?: boolean } = {},
): CapturedTerminal {
  const written = { out: '', err: '' };
  const channel = (name: 'out' | 'err'): Channel => ({
    write: (text) => {
      written[name] += text;
    },
    live: false,
    width: () => settings.width,
    height: () => 24,
    colors: pico.createColors(settings.color === true),
  });
  return {
    out: channel('out'),
    err: channel('err'),
    interactive: settings.interactive === true,
    environment: settings.environment ?? {},
    directory,
    stdout: () => written.out,
    stderr: () => written.err,
  };
}
