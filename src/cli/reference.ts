import { longFlag, type DescribedCommand } from './command.ts';
import { exitCodeMeanings } from './exit-codes.ts';
import { describedCommands } from './program.ts';

const commands = await describedCommands();

/** Markdown of docs/reference/cli.md, made from the definitions of the commands. */
export function cliReference(): string {
  const groups = Map.groupBy(commands, ({ group }) => group);
  return [
    '# Command line',
    '',
    '```',
    'sluice <command> [options]',
    '```',
    '',
    'Every command takes these:',
    '',
    ...table(
      ['Option', 'Meaning'],
      [
        [
          '`--json`',
          'One JSON document on standard output (for streams one per line), and nothing else there. Notes and progress go to standard error.',
        ],
        [
          '`--home <folder>`',
          'Where Sluice keeps its state. Default: the environment variable `SLUICE_HOME`, else `.sluice` beside the stack.',
        ],
        [
          '`--store <url>`',
          'Where a new home keeps its state: `postgres://USER:PASSWORD@HOST:PORT/DATABASE` or `sqlite`. Default: `SLUICE_STORE`, else what the home remembers, else SQLite.',
        ],
        ['`-h`, `--help`', 'Explains the command.'],
      ],
    ),
    '',
    'A stack is named by a YAML file or a folder; the default is the current folder. A command that names no stack finds its home from the',
    'current folder upward, by the nearest `.sluice`. A command that needs a control plane starts one in the background when none runs.',
    'Colour follows the terminal, `NO_COLOR` and `FORCE_COLOR`.',
    '',
    ...[...groups].flatMap(([group, members]) => [[`## ${group}`, ''], members.flatMap(section)].flat()),
    '## Exit codes',
    '',
    ...table(
      ['Code', 'Meaning'],
      exitCodeMeanings.map(({ code, meaning }) => [`${code}`, meaning]),
    ),
    '',
  ].join('\n');
}

function section({ name, summary, spec }: DescribedCommand): readonly string[] {
  const usage = ['sluice', name, ...spec.arguments.map((argument) => (argument.required ? `<${argument.name}>` : `[${argument.name}]`))];
  const options = Object.entries(spec.options);
  const rows = [
    ...spec.arguments.map(({ name: word, description }) => [`\`${word}\``, description]),
    ...options.map(([key, option]) => [
      `${option.short === undefined ? '' : `\`-${option.short}\`, `}\`${longFlag(key)}${option.value === undefined ? '' : ` <${option.value}>`}\``,
      `${option.description}${typeof option.fallback === 'string' ? `. Default: \`${option.fallback}\`` : ''}`,
    ]),
  ];
  const codes = Object.entries(spec.exitCodes ?? {}).map(([code, meaning]) => [code, meaning]);
  return [
    `### sluice ${name}`,
    '',
    `${summary}.`,
    '',
    spec.description,
    '',
    '```',
    `${usage.join(' ')}${options.length > 0 ? ' [options]' : ''}`,
    '```',
    '',
    ...(rows.length > 0 ? [...table(['', ''], rows), ''] : []),
    '```sh',
    ...spec.examples.map(({ command, comment }) => `${command}  # ${comment}`),
    '```',
    '',
    ...(codes.length > 0 ? [...table(['Exit code', 'Here'], codes), ''] : []),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [tableRow(head), tableRow(head.map(() => '---')), ...rows.map(tableRow)];
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
