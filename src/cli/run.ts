import { CommanderError } from 'commander';
import { sluiceError, toSluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { CommandLine } from './command.ts';
import { renderError } from './diagnostics/error.ts';
import { exitCodeMeanings, exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts';
import { createProgram, describedCommands, wantedCommand } from './program.ts';
import { groupsOf, registry } from './registry.ts';
import { printJson } from './terminal/json.ts';
import type { Terminal } from './terminal/terminal.ts';
import { productVersion } from '../control-plane/product-version.ts';

/** Runs one command line (without `node` and the program's name). Never throws: what goes wrong is written and becomes the exit code. */
export async function runCli(line: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    return await dispatch(line, terminal);
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (error.message !== '') terminal.err.write(renderError(error, terminal));
    if (error.code === 'internal_error' && terminal.environment['SLUICE_DEBUG']) {
      terminal.err.write(`${error.cause instanceof Error ? error.cause.stack : ''}\n`);
    }
    if (wantsJson(line)) printJson(terminal, errorDocument(error));
    return exitCodeOf(error);
  }
}

async function dispatch(line: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (line.length === 1 && (line[0] === '--version' || line[0] === '-V')) {
    terminal.out.write(`${productVersion}\n`);
    return exitCodes.ok;
  }
  const cli: CommandLine = { commands: describedCommands, help: (words) => helpPage(words, terminal) };
  if (line.every((word) => word === '--json')) {
    terminal.out.write(await cli.help([]));
    return exitCodes.ok;
  }
  return parse(line, terminal, cli);
}

async function parse(line: readonly string[], terminal: Terminal, cli: CommandLine): Promise<ExitCode> {
  const wanted = wantedCommand(line);
  let code: ExitCode = exitCodes.ok;
  const program = await createProgram(
    wanted ? [wanted] : [],
    { write: (text) => terminal.out.write(text), width: terminal.out.width() },
    async (spec, values) => (code = await spec.run({ ...values, terminal, cli })),
  );
  try {
    await program.parseAsync([...line], { from: 'user' });
    return code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.code === 'commander.helpDisplayed') return exitCodes.ok;
    if (thrown.code === 'commander.version') {
      terminal.out.write(`${productVersion}\n`);
      return exitCodes.ok;
    }
    throw usageError(thrown, wanted?.name ?? groupsOf(registry).find((group) => line.includes(group)));
  }
}

async function helpPage(words: readonly string[], terminal: Terminal): Promise<string> {
  const line = words.join(' ');
  if (line === 'exit-codes') return exitCodePage();
  const wanted = registry.filter(({ name }) => name === line);
  const output = { write: () => undefined, width: terminal.out.width() };
  const program = await createProgram(wanted, output, async () => exitCodes.ok);
  let command = program;
  for (const word of words) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) throw await unknownCommand(words, terminal);
    command = next;
  }
  let page = '';
  command.configureOutput({ writeOut: (text) => (page += text) }).outputHelp();
  return page;
}

/** The error commander makes for such a command line, with its suggestion. */
async function unknownCommand(words: readonly string[], terminal: Terminal): Promise<Error> {
  const program = await createProgram([], { write: () => undefined, width: terminal.out.width() }, async () => exitCodes.ok);
  return program.parseAsync([...words], { from: 'user' }).then(
    () => sluiceError('usage', { reason: `'${words.join(' ')}' is not a command.` }),
    (thrown: unknown) => (thrown instanceof CommanderError ? usageError(thrown, undefined) : toSluiceError(thrown)),
  );
}

function usageError(thrown: CommanderError, command: string | undefined): SluiceError {
  const where = command === undefined ? {} : { command };
  if (thrown.code === 'commander.help')
    return sluiceError('usage', { reason: `\`sluice${command ? ` ${command}` : ''}\` needs a command after it.`, ...where });
  const [first = '', ...rest] = thrown.message.replace(/^error: /, '').split('\n');
  const nearest = /Did you mean (?:one of )?([^?]+)\?/.exec(rest.join(' '))?.[1];
  const reason = `${first.charAt(0).toUpperCase()}${first.slice(1)}${first.endsWith('.') ? '' : '.'}`;
  return sluiceError('usage', {
    reason,
    ...(thrown.code !== 'commander.unknownCommand' && where),
    ...(nearest !== undefined && { nearest }),
  });
}

function exitCodePage(): string {
  return `Exit codes of sluice\n\n${exitCodeMeanings.map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`).join('\n')}\n`;
}

function wantsJson(line: readonly string[]): boolean {
  const end = line.indexOf('--');
  return line.slice(0, end < 0 ? line.length : end).includes('--json');
}

function errorDocument(error: SluiceError): object {
  const { code, message, help, retry, problems } = error;
  return { error: { code, message, help, retry, ...(problems.length > 0 && { problems }) } };
}
