import type { Run, RunChange } from '../../api/schemas/run.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { renderError } from '../diagnostics/error.ts';
import { renderProblems } from '../diagnostics/problem.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { duration } from '../terminal/duration.ts';
import type { Channel, Terminal } from '../terminal/terminal.ts';
import { escapeLines } from '../terminal/text.ts';

/** Says how a run ended, with every failure in full, and gives the exit code for it. */
export function reportRun(run: Run, terminal: Terminal, channel: Channel): ExitCode {
  const failed = run.changes.filter(({ status }) => status === 'failed');
  const skipped = run.changes.filter(({ status }) => status === 'skipped' || status === 'pending');
  const summary = `${run.mode === 'destroy' ? 'Destroyed' : 'Applied'} in ${took(run)}: ${counts(run.changes)}.`;
  switch (run.status) {
    case 'succeeded':
      channel.write(`${channel.colors.green(summary)}\n`);
      return exitCodes.ok;
    case 'cancelled':
      terminal.err.write(
        `${terminal.err.colors.yellow(`Cancelled after ${took(run)}: ${counts(run.changes)}; ${skipped.length} not done.`)}\n`,
      );
      return exitCodes.interrupted;
    case 'failed':
    case 'running': {
      for (const change of failed) terminal.err.write(renderFailure(change, terminal));
      if (run.error !== undefined && failed.length === 0) {
        terminal.err.write(renderFailure({ address: run.environment, error: run.error }, terminal));
      }
      terminal.err.write(renderError(sluiceError('run_failed', { failed: Math.max(1, failed.length), skipped: skipped.length }), terminal));
      return exitCodes.error;
    }
    default:
      return run.status satisfies never;
  }
}

function renderFailure({ address, error }: { address: string; error?: RunChange['error'] }, terminal: Terminal): string {
  const { colors } = terminal.err;
  if (error === undefined) return `\n${colors.bold(address)}  ${colors.red('failed')}\n`;
  const findings = renderProblems(error.problems ?? [], { colors, width: terminal.err.width(), folders: [terminal.directory] });
  const message = escapeLines(error.message).replaceAll('\n', '\n  ');
  const help = error.help === '' ? '' : `  ${colors.cyan('help:')} ${escapeLines(error.help)}\n`;
  return `\n${colors.bold(address)}  ${colors.red(error.code)}\n  ${message}\n${findings}${help}`;
}

function counts(changes: readonly RunChange[]): string {
  const words = {
    create: 'created',
    adopt: 'adopted',
    update: 'updated',
    move: 'moved',
    replace: 'replaced',
    delete: 'deleted',
    refresh: 'recorded as found',
  };
  const parts = Object.entries(words).flatMap(([action, word]) => {
    const count = changes.filter((change) => change.action === action && change.status === 'done').length;
    return count > 0 ? [`${count} ${word}`] : [];
  });
  return parts.length > 0 ? parts.join(', ') : 'nothing changed';
}

function took(run: Run): string {
  return run.finishedAt === undefined ? 'an unknown time' : duration(Date.parse(run.finishedAt) - Date.parse(run.startedAt));
}
