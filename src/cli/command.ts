import type { ExitCode } from './exit-codes.ts';
import type { Terminal } from './terminal/terminal.ts';

/** One command as data: the command line, its help, its completion and its reference page are all made from this. */
export interface CommandSpec {
  readonly arguments: readonly ArgumentSpec[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** A few sentences for the help page; the one-line summary stands in the registry. */
  readonly description: string;
  readonly examples: readonly Example[];
  /** What an exit code means here, where it means more than in general. */
  readonly exitCodes?: Readonly<Partial<Record<ExitCode, string>>>;
  run(invocation: Invocation<Record<string, unknown>, Record<string, string | undefined>>): Promise<ExitCode>;
}

/** A command with its words after `sluice` (`plan`, `key create`) and its place in the overview. */
export interface DescribedCommand {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  readonly spec: CommandSpec;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  readonly completes?: Completes;
  /** The only values there are. */
  readonly choices?: readonly string[];
}

/** What a shell can offer for a value. */
export type Completes = 'files' | 'folders' | 'kinds' | readonly string[];

export interface OptionSpec<Value = unknown> {
  readonly short?: string;
  /** Absent for a switch. */
  readonly value?: string;
  readonly description: string;
  readonly completes?: Completes;
  readonly fallback?: Value;
  /** Turns the text of the command line into the value; `previous` is set when an option is repeated. Throws `usage`. */
  parse?(text: string, previous: Value | undefined): Value;
}

interface Example {
  readonly command: string;
  readonly comment: string;
}

/** What every command gets, whatever else it takes. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly home: string | undefined;
  readonly store: string | undefined;
}

export interface Invocation<Options, Arguments> {
  readonly terminal: Terminal;
  readonly arguments: Arguments;
  readonly options: Options;
  readonly global: GlobalOptions;
  readonly cli: CommandLine;
}

/** What a command may know of the others. */
export interface CommandLine {
  commands(): Promise<readonly DescribedCommand[]>;
  /** Help page of a command by its words; the overview for none. Rejects with `usage` for words that name nothing. */
  help(words: readonly string[]): Promise<string>;
}

type OptionValues<Specs> = { readonly [Name in keyof Specs]: Specs[Name] extends OptionSpec<infer Value> ? Value : never };

type ArgumentValues<Specs extends readonly ArgumentSpec[]> = {
  readonly [Spec in Specs[number] as Spec['name']]: Spec extends { readonly required: true } ? string : string | undefined;
};

/** Keeps the types of arguments and options for `run`. */
export function defineCommand<const Arguments extends readonly ArgumentSpec[], const Options extends Readonly<Record<string, OptionSpec>>>(
  spec: Omit<CommandSpec, 'arguments' | 'options' | 'run'> & {
    readonly arguments: Arguments;
    readonly options: Options;
    run(invocation: Invocation<OptionValues<Options>, ArgumentValues<Arguments>>): Promise<ExitCode>;
  },
): CommandSpec {
  return spec;
}

/** `--long-name` of an option's key. */
export function longFlag(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
