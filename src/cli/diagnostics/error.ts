import type { SluiceError } from '../../errors/sluice-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { escapeLines } from '../terminal/text.ts';
import { renderProblems } from './problem.ts';

/** `error[code]: message` with what to do next, after all the findings it stands for. */
export function renderError(error: SluiceError, terminal: Terminal): string {
  const { colors } = terminal.err;
  const findings = renderProblems(error.problems, { colors, width: terminal.err.width(), folders: [terminal.directory] });
  const message = escapeLines(error.message).replaceAll('\n', '\n  ');
  const help = error.help === '' ? '' : `  ${colors.cyan('help:')} ${escapeLines(error.help)}\n`;
  return `${findings}${findings === '' ? '' : '\n'}${colors.red(`error[${error.code}]:`)} ${message}\n${help}`;
}
