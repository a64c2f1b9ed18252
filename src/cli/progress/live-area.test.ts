import { describe, expect, it } from 'vitest';
import { capturedTerminal } from '../testdata/captured-terminal.ts';
import { createLiveArea } from './live-area.ts';

describe('a live area', () => {
  it('draws its lines again in place, prints above them, and gives the cursor back', () => {
    const terminal = capturedTerminal('/');
    let lines = ['a', 'b'];
    const area = createLiveArea(terminal.out, () => lines, 1_000_000);
    expect(terminal.stdout()).toBe('\u001b[?25l\u001b[0Ja\nb\n');
    lines = ['c'];
    area.draw();
    expect(terminal.stdout()).toContain('\u001b[2A\r\u001b[0Jc\n');
    area.print('kept');
    expect(terminal.stdout()).toContain('\u001b[1A\r\u001b[0Jkept\n\u001b[0Jc\n');
    area.end();
    expect(terminal.stdout().endsWith('\u001b[1A\r\u001b[0Jc\n\u001b[?25h')).toBe(true);
  });
});
