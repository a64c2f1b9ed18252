import { Argument, Command, Option } from 'commander';
import { longFlag, type CommandSpec, type DescribedCommand, type GlobalOptions, type OptionSpec } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { exitCodes } from './exit-codes.ts';
import { groupsOf, registry, type RegisteredCommand } from './registry.ts';

/** Runs a command once the line has been understood. */
export type Run = (
  spec: CommandSpec,
  values: {
    arguments: Record<string, string | undefined>;
    options: Record<string, unknown>;
    global: GlobalOptions;
  },
) => Promise<ExitCode>;

/** The words of `line` that name a command, skipping options and the values of the global ones; undefined when there is none. */
export function wantedCommand(line: readonly string[]): RegisteredCommand | undefined {
  const words: string[] = [];
  for (let index = 0; index < line.length && words.length < 2; index += 1) {
    const word = line[index] as string;
    if (word === '--') break;
    if (word === '--home' || word === '--store') index += 1;
    else if (!word.startsWith('-')) words.push(word);
  }
  return registry.find(({ name }) => name === words[0] || name === words.join(' '));
}

/**
 * The commander program with every command's name and summary, and all about the wanted ones: only their modules are loaded. Parsing
 * throws CommanderError or SluiceError and never exits the process.
 */
export async function createProgram(
  wanted: readonly RegisteredCommand[],
  output: { write: (text: string) => void; width?: number | undefined },
  run: Run,
): Promise<Command> {
  const program = configure(new Command('sluice'), output)
    .description('The delivery platform for agent systems: what should run, planned, applied and rolled out from files.')
    .usage('<command> [options]')
    .option('--json', 'Prints one JSON document (for streams one per line) on standard output, and nothing else there')
    .option('--home <folder>', 'Where Sluice keeps its state; default: SLUICE_HOME, else `.sluice` beside the stack')
    .option(
      '--store <url>',
      'Where a new home keeps its state: a postgres:// URL, or `sqlite` (default). Others can see a command line: a URL with a password belongs in SLUICE_STORE',
    )
    .version('', '-V, --version', 'Prints the version')
    .helpCommand(false)
    .addHelpText('after', '\nExit codes: sluice help exit-codes');
  const parents = new Map<string, Command>();
  for (const group of groupsOf(registry)) {
    const first = registry.find(({ name }) => name.startsWith(`${group} `));
    const members = registry.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name.split(' ')[1]);
    parents.set(
      group,
      configure(new Command(group), output)
        .helpGroup(`${first?.group ?? ''}:`)
        .helpCommand(false)
        .description(`${members.join(', ')}: see \`sluice help ${group}\``),
    );
  }
  for (const registered of registry) {
    const words = registered.name.split(' ');
    const parent = words.length > 1 ? parents.get(words[0] as string) : program;
    const command = configure(new Command(words.at(-1)), output).summary(registered.summary);
    if (words.length === 1) command.helpGroup(`${registered.group}:`);
    if (wanted.includes(registered)) {
      const { command: spec } = await registered.load();
      describe(command, spec, registered, run);
    }
    parent?.addCommand(command);
    if (words.length > 1 && parent && !program.commands.includes(parent)) program.addCommand(parent);
  }
  return program;
}

export async function describedCommands(): Promise<readonly DescribedCommand[]> {
  return Promise.all(registry.map(async ({ name, summary, group, load }) => ({ name, summary, group, spec: (await load()).command })));
}

function configure(command: Command, output: { write: (text: string) => void; width?: number | undefined }): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'Explains the command')
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20, helpWidth: Math.min(output.width ?? 100, 100) })
    .configureOutput({ writeOut: output.write, writeErr: () => undefined });
}

function describe(command: Command, spec: CommandSpec, registered: RegisteredCommand, run: Run): void {
  command.description(`${registered.summary}.\n\n${spec.description}`);
  for (const argument of spec.arguments) {
    const made = new Argument(argument.required ? `<${argument.name}>` : `[${argument.name}]`, argument.description);
    command.addArgument(argument.choices ? made.choices(argument.choices) : made);
  }
  for (const [key, option] of Object.entries(spec.options)) command.addOption(optionOf(key, option));
  command.addHelpText('after', helpEnd(spec));
  command.action(async () => {
    const given = command.optsWithGlobals<Record<string, unknown>>();
    const [home, store] = [given['home'], given['store']];
    await run(spec, {
      arguments: Object.fromEntries(spec.arguments.map(({ name }, index) => [name, command.processedArgs[index] as string | undefined])),
      options: Object.fromEntries(Object.entries(spec.options).map(([key, { fallback }]) => [key, given[key] ?? fallback])),
      global: {
        json: given['json'] === true,
        home: typeof home === 'string' ? home : undefined,
        store: typeof store === 'string' ? store : undefined,
      },
    });
  });
}

function optionOf(key: string, spec: OptionSpec): Option {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const value = spec.value === undefined ? '' : ` <${spec.value}>`;
  const option = new Option(`${short}${longFlag(key)}${value}`, describedOption(spec));
  if (spec.parse) option.argParser((text, previous: unknown) => spec.parse?.(text, previous));
  return option;
}

function describedOption({ description, fallback }: OptionSpec): string {
  return typeof fallback === 'string' ? `${description}; default: ${fallback}` : description;
}

function helpEnd(spec: CommandSpec): string {
  const width = Math.max(...spec.examples.map(({ command }) => command.length), 0);
  const examples = spec.examples.map(({ command, comment }) => `  $ ${command.padEnd(width)}  # ${comment}`);
  const codes = Object.entries(spec.exitCodes ?? {}).map(([code, meaning]) => `  ${code.padEnd(3)}  ${meaning}`);
  return `\nExamples:\n${examples.join('\n')}\n\nExit codes (all: sluice help exit-codes):\n${(codes.length > 0 ? codes : [`  ${exitCodes.ok}    done`, `  ${exitCodes.error}    an error`]).join('\n')}`;
}
