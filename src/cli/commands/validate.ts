import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { stackArgument } from '../options.ts';
import { errorsAmong, showProblems } from '../target/stack-problems.ts';
import { located } from '../diagnostics/located.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Reads the stack for every environment and lists all that is wrong at once, each with its place and what to do. Needs no control plane.',
  arguments: [stackArgument],
  options: {},
  examples: [
    { command: 'sluice validate', comment: 'the stack of the current folder' },
    { command: 'sluice validate iac_config.yaml --json', comment: 'for an editor or a pipeline' },
  ],
  exitCodes: { 0: 'valid; there may be warnings', 1: 'not valid' },
  run: async ({ terminal, global, arguments: { stack } }) => {
    const target = stackTarget(stack, global, terminal);
    const { validateStack } = await import('../../stack/validate.ts');
    const loaded = await validateStack(target.path);
    const problems = located(loaded.problems, target.root);
    if (global.json) {
      printJson(terminal, { valid: loaded.ok, ...(loaded.ok && loaded.value), problems });
      return loaded.ok ? exitCodes.ok : exitCodes.error;
    }
    showProblems(problems, target, terminal);
    const errors = errorsAmong(problems);
    const warnings = problems.length - errors;
    if (!loaded.ok) {
      terminal.err.write(
        `\n${terminal.err.colors.red(`${countOf(errors, 'error')}${warnings > 0 ? `, ${countOf(warnings, 'warning')}` : ''}`)}\n`,
      );
      return exitCodes.error;
    }
    const { files, environments, blocks } = loaded.value;
    const where = `${countOf(blocks, 'block')} in ${countOf(files.length, 'file')}, ${countOf(environments.length, 'environment')}: ${environments.join(', ')}`;
    terminal.out.write(`${terminal.out.colors.green('Valid.')} ${where}${warnings > 0 ? `; ${countOf(warnings, 'warning')}` : ''}\n`);
    return exitCodes.ok;
  },
});

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
