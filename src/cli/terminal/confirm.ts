import { sluiceError } from '../../errors/sluice-error.ts';
import type { Terminal } from './terminal.ts';

/** Returns once agreed. Rejects with `declined`, or with `confirmation_required` where nobody can be asked. */
export async function confirm(terminal: Terminal, question: string, agreed: boolean): Promise<void> {
  if (agreed) return;
  if (!terminal.interactive) throw sluiceError('confirmation_required', { question });
  const prompts = await import('@clack/prompts');
  const answer = await prompts.confirm({ message: question, initialValue: false, output: process.stderr });
  if (prompts.isCancel(answer)) throw sluiceError('interrupted', { what: 'nothing has been changed.' });
  if (!answer) throw sluiceError('declined', {});
}
