import { sluiceError, type Problem } from '../../errors/sluice-error.ts';
import type { Loaded } from '../../stack/stack.ts';
import { located } from '../diagnostics/located.ts';
import { renderProblems } from '../diagnostics/problem.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { StackTarget } from './target.ts';

/** The value, after its warnings have been shown; throws `stack_refused` with all findings when there is none. */
export function valueOf<Value>(loaded: Loaded<Value>, target: Pick<StackTarget, 'root'>, terminal: Terminal): Value {
  if (!loaded.ok) {
    throw sluiceError('stack_refused', { count: errorsAmong(loaded.problems) }, { problems: located(loaded.problems, target.root) });
  }
  showProblems(loaded.problems, target, terminal);
  return loaded.value;
}

export function showProblems(problems: readonly Problem[], target: Pick<StackTarget, 'root'>, terminal: Terminal): void {
  const look = { colors: terminal.err.colors, width: terminal.err.width(), folders: [terminal.directory] };
  terminal.err.write(renderProblems(located(problems, target.root), look));
}

export function errorsAmong(problems: readonly Problem[]): number {
  return problems.filter(({ severity }) => severity === 'error').length;
}
