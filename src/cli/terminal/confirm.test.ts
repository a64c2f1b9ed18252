import { describe, expect, it } from 'vitest';
import { capturedTerminal } from '../testdata/captured-terminal.ts';
import { confirm } from './confirm.ts';

describe('a question', () => {
  it('is not asked when it was agreed to beforehand', async () => {
    const terminal = capturedTerminal('/');
    await confirm(terminal, 'Delete it?', true);
    expect(terminal.stderr() + terminal.stdout()).toBe('');
  });

  it('is an error that names --yes where nobody can answer', async () => {
    await expect(confirm(capturedTerminal('/'), 'Delete it?', false)).rejects.toMatchObject({
      code: 'confirmation_required',
      help: 'Pass --yes to agree beforehand. Nothing has been changed.',
    });
  });
});
