import type { Channel } from '../terminal/terminal.ts';

/** Some lines at the end of the terminal that are drawn again and again in place. */
export interface LiveArea {
  draw(): void;
  /** Writes a line above them that stays. */
  print(line: string): void;
  /** Draws all lines a last time and leaves them standing. */
  end(): void;
}

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const eraseBelow = '\u001b[0J';

/** `picture` is asked for its lines (none wider than the terminal) at every frame; `height` is undefined for the last one. */
export function createLiveArea(channel: Channel, picture: (height: number | undefined) => readonly string[], intervalMs = 80): LiveArea {
  let drawn = 0;
  let last = '';
  const paint = (lines: readonly string[]): void => {
    const up = drawn > 0 ? `\u001b[${drawn}A\r` : '';
    channel.write(`${up}${eraseBelow}${lines.map((line) => `${line}\n`).join('')}`);
    drawn = lines.length;
    last = lines.join('\n');
  };
  const draw = (): void => {
    const lines = picture(Math.max(3, channel.height() - 2));
    // Painting what stands there already would only flicker.
    if (lines.join('\n') !== last) paint(lines);
  };
  channel.write(hideCursor);
  const restore = (): void => channel.write(showCursor);
  process.once('exit', restore);
  const timer = setInterval(draw, intervalMs);
  timer.unref();
  draw();
  return {
    draw,
    print: (line) => {
      paint([line]);
      drawn = 0;
      last = '';
      draw();
    },
    end: () => {
      clearInterval(timer);
      process.off('exit', restore);
      paint(picture(undefined));
      restore();
    },
  };
}
