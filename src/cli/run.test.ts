import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeRecord } from '../control-plane/home.ts';
import { runCli } from './run.ts';
import { capturedTerminal, type CapturedTerminal } from './testdata/captured-terminal.ts';
import { temporaryFolder } from './testdata/temporary-folder.ts';
import { registry } from './registry.ts';

async function run(...line: readonly string[]): Promise<{ code: number; terminal: CapturedTerminal }> {
  const terminal = capturedTerminal(await temporaryFolder());
  return { code: await runCli(line, terminal), terminal };
}

async function stackWith(text: string): Promise<CapturedTerminal> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'hello'));
  await writeFile(join(folder, 'stack.yaml'), text);
  return capturedTerminal(folder);
}

describe('the command line', () => {
  it('gives the overview of all commands when nothing is asked', async () => {
    const { code, terminal } = await run();
    expect(code).toBe(0);
    for (const { name } of registry) expect(terminal.stdout()).toContain(`  ${name.split(' ')[0] ?? ''} `);
    expect(terminal.stdout()).toMatch(/Start here:[^]*Language:[^]*Change:[^]*Watch:[^]*Operate:[^]*This machine:/);
  });

  it.each(registry.map(({ name }) => name))('explains `%s` with examples and exit codes, in both ways', async (name) => {
    const { code, terminal } = await run(...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(terminal.stdout()).toMatch(/^Usage: sluice /);
    expect(terminal.stdout()).toContain('\nExamples:\n  $ ');
    expect(terminal.stdout()).toContain('\nExit codes');
    const helped = await run('help', ...name.split(' '));
    expect(helped.terminal.stdout()).toBe(terminal.stdout());
  });

  it('keeps help within a narrow terminal and leaves out defaults that say nothing', async () => {
    const terminal = capturedTerminal('/', { width: 60 });
    await runCli(['help', 'plan'], terminal);
    const options = terminal.stdout().split('Examples:')[0] ?? '';
    for (const line of options.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect(options).not.toMatch(/default: (false|\{\}|undefined)/);
  });

  it.each([
    [['stauts'], "Did you mean 'status'?"],
    [['key', 'creat'], "Did you mean 'create'?"],
    [['plan', '--alow-destroy'], "Did you mean '--allow-destroy'?"],
    [['help', 'plann'], "Did you mean 'plan'?"],
  ])('suggests the nearest word for %j', async (line, suggestion) => {
    const { code, terminal } = await run(...line);
    expect(code).toBe(64);
    expect(terminal.stderr()).toMatch(/^error\[usage\]: Unknown (command|option) '/);
    expect(terminal.stderr()).toContain(suggestion);
    expect(terminal.stdout()).toBe('');
  });

  it.each([
    [['key'], 'needs a command after it'],
    [['plan', 'one', 'two'], 'Too many arguments'],
    [['scale', 'hello'], "Missing required argument 'replicas'"],
    [['scale', 'hello', 'many'], "has to be a whole number, not 'many'"],
    [['graph', '--format', 'svg'], "'svg' is not one of mermaid, dot"],
    [['plan', '--var', 'novalue'], "'novalue' is not of the form name=value"],
    [['plan', '--environment'], 'argument missing'],
    [['events', '--after', '-1'], "not '-1'"],
    [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish'],
    [['get', 'servise'], "There is no kind 'servise'"],
    [['describe', 'hello'], 'not of the form KIND/NAME'],
    [['key', 'create', 'x', '--expires', 'soon'], 'not a duration'],
    [['fmt', '--check', '--write'], 'exclude each other'],
  ])('refuses %j by exit code 64 and a reason', async (line, reason) => {
    const { code, terminal } = await run(...line);
    expect(terminal.stderr()).toContain(reason);
    expect(code).toBe(64);
  });

  it('takes global options before and after the command', async () => {
    for (const line of [
      ['--json', 'version'],
      ['version', '--json'],
      ['--home', 'status', 'version', '--json'],
    ]) {
      const { terminal } = await run(...line);
      expect(JSON.parse(terminal.stdout())).toHaveProperty('version');
    }
  });

  it('prints its version by --version, -V and version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    for (const word of ['--version', '-V', 'version']) expect((await run(word)).terminal.stdout()).toBe(`${version}\n`);
  });

  it('documents its exit codes', async () => {
    const { terminal } = await run('help', 'exit-codes');
    for (const code of [0, 1, 2, 64, 69, 130]) expect(terminal.stdout()).toMatch(new RegExp(`^ +${code} +\\S`, 'm'));
  });

  it('leaves nothing behind in a folder without a stack', async () => {
    for (const line of [['plan'], ['apply', '--yes'], ['up'], ['destroy', '--yes']]) {
      const { code, terminal } = await run(...line);
      expect([line, code, terminal.stderr()]).toEqual([line, 1, expect.stringContaining('error[stack_not_found]')]);
      expect(await readdir(terminal.directory)).toEqual([]);
    }
  });

  it('gives one JSON document for an error, too, and the text on standard error', async () => {
    const { code, terminal } = await run('plan', 'nowhere', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(terminal.stdout())).toMatchObject({ error: { code: 'stack_not_found', retry: 'terminal' } });
    expect(terminal.stderr()).toMatch(/^error\[stack_not_found\]: .*\n {2}help: /);
  });
});

describe('commands that need no control plane', () => {
  const valid = 'service:\n  name: hello\n  source: hello\n  command: [node, server.ts]\n  version: 1.0.0\n';

  it('validate says that a stack is valid', async () => {
    const terminal = await stackWith(valid);
    expect(await runCli(['validate'], terminal)).toBe(0);
    expect(terminal.stdout()).toBe('Valid. 1 block in 1 file, 1 environment: default\n');
  });

  it('validate lists every error with its place and ends with 1', async () => {
    const terminal = await stackWith(`${valid}  comand: [x]\n  color: red\n`);
    expect(await runCli(['validate'], terminal)).toBe(1);
    expect(terminal.stderr()).toContain('stack.yaml:6:3  unknown_field');
    expect(terminal.stderr()).toContain('    6 │   comand: [x]\n      │   ^\n');
    expect(terminal.stderr()).toContain('stack.yaml:7:3  unknown_field');
    expect(terminal.stderr()).toMatch(/\n2 errors\n$/);
    expect(terminal.stdout()).toBe('');
  });

  it('validate --json gives the same findings to a program', async () => {
    const terminal = await stackWith(`${valid}  comand: [x]\n`);
    expect(await runCli(['validate', '--json'], terminal)).toBe(1);
    expect(JSON.parse(terminal.stdout())).toMatchObject({
      valid: false,
      problems: [{ code: 'unknown_field', position: { line: 6, column: 3 } }],
    });
  });

  it('graph draws in both languages', async () => {
    const terminal = await stackWith(valid);
    expect(await runCli(['graph'], terminal)).toBe(0);
    expect(await runCli(['graph', '--format', 'dot'], terminal)).toBe(0);
    expect(terminal.stdout()).toMatch(/^flowchart[^]*digraph/);
  });

  it('schema prints a JSON Schema', async () => {
    const { terminal } = await run('schema');
    expect(JSON.parse(terminal.stdout())).toHaveProperty('properties.service');
  });

  it('fmt checks, prints and writes', async () => {
    const untidy = 'service:\n    name:   hello # kept\n    source: hello\n    command: [node, server.ts]\n    version: 1.0.0\n';
    const terminal = await stackWith(untidy);
    expect(await runCli(['fmt', '--check'], terminal)).toBe(1);
    expect(terminal.stdout()).toBe('stack.yaml\n');
    const printed = capturedTerminal(terminal.directory);
    expect(await runCli(['fmt', 'stack.yaml'], printed)).toBe(0);
    expect(await readFile(join(terminal.directory, 'stack.yaml'), 'utf8')).toBe(untidy);
    expect(await runCli(['fmt', '--write'], terminal)).toBe(0);
    expect(await readFile(join(terminal.directory, 'stack.yaml'), 'utf8')).toBe(printed.stdout());
    expect(printed.stdout()).toContain('# kept');
    expect(await runCli(['fmt', '--check'], terminal)).toBe(0);
  });

  it('fmt names the place of what is no YAML and changes nothing', async () => {
    const terminal = await stackWith('service: [\n');
    expect(await runCli(['fmt', '--write'], terminal)).toBe(1);
    expect(terminal.stderr()).toMatch(/^stack\.yaml:\d+:\d+ {2}yaml_invalid/);
  });

  it('init writes a stack that is valid and formatted, and never overwrites', async () => {
    const folder = await temporaryFolder();
    const terminal = capturedTerminal(folder);
    expect(await runCli(['init', 'mine'], terminal)).toBe(0);
    expect(terminal.stdout()).toContain('+ mine/stack.yaml\n');
    expect(terminal.stdout()).toContain('\nNext:\n  cd mine\n  sluice up ');
    expect(await runCli(['validate', 'mine'], capturedTerminal(folder))).toBe(0);
    expect(await runCli(['fmt', '--check', 'mine'], capturedTerminal(folder))).toBe(0);

    await writeFile(join(folder, 'mine/stack.yaml'), 'my own');
    const again = capturedTerminal(folder);
    expect(await runCli(['init', 'mine'], again)).toBe(1);
    expect(again.stderr()).toContain('error[scaffold_conflict]: stack.yaml');
    expect(await readFile(join(folder, 'mine/stack.yaml'), 'utf8')).toBe('my own');
  });

  it('init keeps the README and .gitignore of a clone', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'README.md'), 'mine');
    const terminal = capturedTerminal(folder);
    expect(await runCli(['init'], terminal)).toBe(0);
    expect(terminal.stdout()).toContain('= README.md (kept as it was)');
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('mine');
  });

  it('doctor looks at the machine without starting anything', async () => {
    const { code, terminal } = await run('doctor', '--json');
    const report = JSON.parse(terminal.stdout()) as { fit: boolean; findings: { name: string }[] };
    expect(code).toBe(report.fit ? 0 : 1);
    expect(report.findings.map(({ name }) => name)).toEqual(expect.arrayContaining(['Node', 'SLUICE_HOME', 'PostgreSQL']));
  });

  it('down has nothing to do where nothing has run', async () => {
    const { code, terminal } = await run('down');
    expect(code).toBe(0);
    expect(terminal.stderr()).toContain('Nothing runs.');
  });

  it('down starts nothing to stop what has been stopped cleanly', async () => {
    const terminal = capturedTerminal(await temporaryFolder());
    const home = join(terminal.directory, '.sluice');
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, 'state.db'), '');
    const times = { startedAt: '2026-11-22T12:00:00.000Z', stoppedAt: '2026-11-22T13:00:00.000Z' };
    await writeRecord(home, { pid: 2 ** 30, startTime: 'long ago', root: terminal.directory, ...times });
    expect(await runCli(['down'], terminal)).toBe(0);
    expect([terminal.stdout(), terminal.stderr()]).toEqual(['', 'Nothing runs.\n']);
    expect((await readdir(home)).toSorted()).toEqual(['control-plane.json', 'state.db']);
  });

  it('status and the like say that there is no home', async () => {
    const { code, terminal } = await run('get', 'services');
    expect(code).toBe(1);
    expect(terminal.stderr()).toContain('error[home_not_found]');
    expect(terminal.stderr()).toContain('sluice up');
  });
});
