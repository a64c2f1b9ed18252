import { expect, it } from 'vitest';
import { sluiceError } from './sluice-error.ts';

it('tells whoever meets a protected resource the flag and the address to pass', () => {
  const { help } = sluiceError('protected_resource', {
    address: 'test/database/state',
    action: 'delete',
    reason: 'no longer in the stack',
    why: 'stateful',
    flags: ['--allow-destroy database/state'],
    hint: '',
  });
  expect(help).toBe('Nothing has been changed. Undo what leads to it, or pass --allow-destroy database/state.');
});
