import { firstWords, secondWords, type CompletionCommand } from './words.ts';

/** A script for `sluice completion fish | source`. */
export function fishCompletion(commands: readonly CompletionCommand[]): string {
  const groups = [...secondWords(commands)];
  const lines = [
    '# fish completion for sluice. Load it with: sluice completion fish | source',
    'complete -c sluice -f',
    `complete -c sluice -n __fish_use_subcommand -l version -d ${quote('Prints the version')}`,
    ...firstWords(commands).map(({ word, summary }) => `complete -c sluice -n __fish_use_subcommand -a ${word} -d ${quote(summary)}`),
    ...groups.flatMap(([group, members]) => {
      const words = members.map(({ name }) => name.split(' ')[1] as string);
      const where = quote(`__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${words.join(' ')}`);
      return members.map(({ name, summary }) => `complete -c sluice -n ${where} -a ${name.split(' ')[1] ?? ''} -d ${quote(summary)}`);
    }),
    ...commands.flatMap(linesOf),
  ];
  return `${lines.join('\n')}\n`;
}

function linesOf({ name, options, arguments: places }: CompletionCommand): readonly string[] {
  const where = quote(
    name
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and '),
  );
  const begin = `complete -c sluice -n ${where}`;
  return [
    ...options.map(({ long, short, description, value }) => {
      const flags = `-l ${long.slice(2)}${short === undefined ? '' : ` -s ${short.slice(1)}`}`;
      return `${begin} ${flags}${value === undefined ? '' : ` -r ${offer(value)}`} -d ${quote(description)}`;
    }),
    ...places.filter((place) => place !== 'nothing').map((place) => `${begin} ${offer(place)}`),
  ];
}

function offer(value: 'files' | 'folders' | 'nothing' | readonly string[]): string {
  switch (value) {
    case 'nothing':
      return '-f';
    case 'files':
      return '-F';
    case 'folders':
      return "-f -a '(__fish_complete_directories)'";
    default:
      return `-f -a ${quote(value.join(' '))}`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
