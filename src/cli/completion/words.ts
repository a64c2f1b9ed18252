import { kinds } from '../../stack/stack.ts';
import { longFlag, type ArgumentSpec, type Completes, type DescribedCommand, type OptionSpec } from '../command.ts';

/** What all completion scripts are made from. */
export interface CompletionCommand {
  /** `plan`, `key create`. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  readonly arguments: readonly ('files' | 'folders' | 'nothing' | readonly string[])[];
}

export interface CompletionOption {
  readonly long: string;
  readonly short?: string;
  readonly description: string;
  /** Absent for a switch. */
  readonly value?: 'files' | 'folders' | 'nothing' | readonly string[];
}

const globals: readonly CompletionOption[] = [
  { long: '--json', description: 'One JSON document on standard output' },
  { long: '--home', description: 'Where Sluice keeps its state', value: 'folders' },
  { long: '--store', description: 'Where a new home keeps its state', value: 'nothing' },
  { long: '--help', short: '-h', description: 'Explains the command' },
];

export function completionCommands(commands: readonly DescribedCommand[]): readonly CompletionCommand[] {
  return commands.map(({ name, summary, spec }) => ({
    name,
    summary,
    arguments: spec.arguments.map((argument) =>
      name === 'help' ? helpTopics(argument, commands) : offered(argument.choices ?? argument.completes),
    ),
    options: [...Object.entries(spec.options).map(([key, option]) => completionOption(key, option)), ...globals],
  }));
}

function completionOption(key: string, { short, description, value, completes }: OptionSpec): CompletionOption {
  const option: CompletionOption = { long: longFlag(key), description };
  return Object.assign(option, short !== undefined && { short: `-${short}` }, value !== undefined && { value: offered(completes) });
}

function offered(completes: Completes | undefined): 'files' | 'folders' | 'nothing' | readonly string[] {
  if (completes === undefined) return 'nothing';
  return completes === 'kinds' ? ['all', ...kinds] : completes;
}

function helpTopics({ name }: ArgumentSpec, commands: readonly DescribedCommand[]): readonly string[] {
  if (name !== 'topic') return [];
  return [...new Set([...commands.map((command) => command.name.split(' ')[0] as string), 'exit-codes'])];
}

/** First words of all commands, with a summary: of a group its members. */
export function firstWords(commands: readonly CompletionCommand[]): readonly { word: string; summary: string }[] {
  const words = new Map<string, string>();
  for (const { name, summary } of commands) {
    const [first = '', second] = name.split(' ');
    const known = words.get(first);
    words.set(first, second === undefined ? summary : known === undefined ? second : `${known}, ${second}`);
  }
  return [...words].map(([word, summary]) => ({ word, summary }));
}

/** Second words of the groups: `key` -> create, list, revoke. */
export function secondWords(commands: readonly CompletionCommand[]): ReadonlyMap<string, readonly CompletionCommand[]> {
  const grouped = Map.groupBy(
    commands.filter(({ name }) => name.includes(' ')),
    ({ name }) => name.split(' ')[0] as string,
  );
  return grouped;
}
