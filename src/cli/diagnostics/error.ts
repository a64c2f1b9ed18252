import type { SluiceError } from '../../errors/sluice-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { escapeLines } from '../terminal/text.ts';
import { renderProblems } from './problem.ts';

/** `error[code]: message` with what to do next, after all the findings it stands for. */
export function renderError(error: SluiceError, terminal: Terminal): string {
  const { colors } = terminal.err;
  // An error that stands for one finding only would say everything twice.
  const others = error.problems.filter(
    ({ code, message, position }) => position !== undefined || code !== error.code || message !== error.message,
  );
  const findings = renderProblems(others, { colors, width: terminal.err.width(), folders: [terminal.directory] });
  const message = escapeLines(error.message).replaceAll('\n', '\n  ');
  const help = error.help === '' ? '' : `  ${colors.cyan('help:')} ${escapeLines(error.help)}\n`;
  return `${findings}${findings === '' ? '' : '\n'}${colors.red(`error[${error.code}]:`)} ${message}\n${help}`;
}
