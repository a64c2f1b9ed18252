import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeDurably } from '../../effects/files.ts';
import { sluiceError, type Problem } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, stackArgument } from '../options.ts';
import { errorsAmong } from '../target/stack-problems.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Formats stack files in one style; comments and anchors stay. A folder means the YAML files directly in it. Without --write a single file is printed formatted, and for a folder those files are listed that would change.',
  arguments: [stackArgument],
  options: {
    check: flag('Only says which files are not formatted, by exit code 1; for pipelines'),
    write: flag('Changes the files', 'w'),
  },
  examples: [
    { command: 'sluice fmt --write', comment: 'the stack of the current folder' },
    { command: 'sluice fmt --check', comment: 'in a pipeline' },
    { command: 'sluice fmt stack.yaml', comment: 'prints it formatted' },
  ],
  exitCodes: { 0: 'done; with --check: all are formatted', 1: 'a file is no YAML; with --check: some are not formatted' },
  run: async ({ terminal, global, arguments: { stack }, options }) => {
    if (options.check && options.write) throw sluiceError('usage', { reason: '--check and --write exclude each other.', command: 'fmt' });
    const target = stackTarget(stack, global, terminal);
    const { formatStack } = await import('../../stack/format.ts');
    const files = statSync(target.path).isDirectory() ? yamlFilesIn(target.path) : [target.path];
    if (files.length === 0) throw sluiceError('nothing_to_format', { path: stack ?? '.' });

    const problems: Problem[] = [];
    const results: { file: string; before: string; after: string }[] = [];
    for (const file of files) {
      const before = readFileSync(file, 'utf8');
      const formatted = formatStack(before, file);
      problems.push(...formatted.problems);
      if (formatted.ok) results.push({ file, before, after: formatted.value });
    }
    if (errorsAmong(problems) > 0) throw sluiceError('stack_refused', { count: errorsAmong(problems) }, { problems });

    const changed = results.filter(({ before, after }) => before !== after);
    if (options.write) for (const { file, after } of changed) await writeDurably(file, after, statSync(file).mode & 0o777);
    const shown = (file: string): string => relative(terminal.directory, file);
    const only = results[0];
    if (global.json)
      printJson(terminal, { files: results.map(({ file, before, after }) => ({ file: shown(file), formatted: before === after })) });
    else if (!options.check && !options.write && only !== undefined && !statSync(target.path).isDirectory()) terminal.out.write(only.after);
    else terminal.out.write(changed.map(({ file }) => `${shown(file)}\n`).join(''));
    return options.check && changed.length > 0 ? exitCodes.error : exitCodes.ok;
  },
});

function yamlFilesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map(({ name }) => join(folder, name))
    .toSorted();
}
