import { describe, expect, it } from 'vitest';
import { createTerminal } from './terminal.ts';

function terminalWith(env: Record<string, string>, isTTY: boolean) {
  const stream = { isTTY, columns: 40, rows: 10, write: () => true };
  return createTerminal({ stdin: { isTTY }, stdout: stream, stderr: stream, env, cwd: () => '/' });
}

describe('a terminal', () => {
  it('has colour, width and questions when somebody looks', () => {
    const terminal = terminalWith({}, true);
    expect(terminal.out.colors.isColorSupported).toBe(true);
    expect(terminal.out.width()).toBe(40);
    expect(terminal.interactive).toBe(true);
  });

  it('has none of them in a pipe', () => {
    const terminal = terminalWith({}, false);
    expect(terminal.out.colors.isColorSupported).toBe(false);
    expect(terminal.out.width()).toBeUndefined();
    expect(terminal.out.live).toBe(false);
    expect(terminal.interactive).toBe(false);
  });

  it('honours NO_COLOR above all, then FORCE_COLOR', () => {
    expect(terminalWith({ NO_COLOR: '1', FORCE_COLOR: '1' }, true).out.colors.isColorSupported).toBe(false);
    expect(terminalWith({ FORCE_COLOR: '1' }, false).out.colors.isColorSupported).toBe(true);
    expect(terminalWith({ FORCE_COLOR: '0' }, true).out.colors.isColorSupported).toBe(false);
    expect(terminalWith({ NO_COLOR: '' }, true).out.colors.isColorSupported).toBe(true);
  });

  it('neither moves the cursor nor asks in a pipeline or on a dumb terminal', () => {
    expect(terminalWith({ CI: 'true' }, true).err.live).toBe(false);
    expect(terminalWith({ CI: 'true' }, true).interactive).toBe(false);
    expect(terminalWith({ TERM: 'dumb' }, true).err.live).toBe(false);
  });
});
