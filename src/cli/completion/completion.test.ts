import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../testing/requires.ts';
import { describedCommands } from '../program.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { completionCommands, type CompletionCommand } from './words.ts';
import { zshCompletion } from './zsh.ts';

let commands: readonly CompletionCommand[];
beforeAll(async () => {
  commands = completionCommands(await describedCommands());
});

describeWith('bash', 'completion in bash', (bash) => {
  /** What bash offers for the last word of a line. */
  const offered = (...words: readonly string[]): readonly string[] => {
    const script = `${bashCompletion(commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync(bash, ['--norc', '-c', script, 'bash', 'sluice', ...words], { encoding: 'utf8' })
      .split('\n')
      .filter((word) => word !== '');
  };

  it('offers the commands that begin so', () => {
    expect(offered('de')).toEqual(['deploy', 'destroy', 'describe']);
    expect(offered('')).toEqual(expect.arrayContaining(['up', 'plan', 'key', 'help', '--version']));
  });

  it('offers the words after a group', () => {
    expect(offered('key', '')).toEqual(['create', 'list', 'revoke']);
  });

  it('offers the options of the command, the global ones included', () => {
    expect(offered('plan', '--')).toEqual(expect.arrayContaining(['--environment', '--var', '--json', '--home']));
    expect(offered('key', 'create', '--ro')).toEqual(['--role']);
  });

  it('offers the values of an option and of an argument', () => {
    expect(offered('graph', '--format', '')).toEqual(['mermaid', 'dot']);
    expect(offered('get', 'serv')).toEqual(['service']);
    expect(offered('--home', '/tmp', 'completion', 'z')).toEqual(['zsh']);
    expect(offered('help', 'exit')).toEqual(['exit-codes']);
  });
});

/** What a shell prints for a script of its language. */
function printedBy(shell: string, ...parameters: readonly string[]): readonly string[] {
  return execFileSync(shell, parameters, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

describeWith('zsh', 'completion in zsh', (zsh) => {
  it('is registered for sluice by a script zsh can read', () => {
    const script = `autoload -U compinit; compinit -u -D\n${zshCompletion(commands)}\nprint $_comps[sluice]`;
    expect(printedBy(zsh, '-f', '-c', script)).toEqual(['_sluice']);
  });
});

describeWith('fish', 'completion in fish', (fish) => {
  it.each([
    ['sluice de', ['deploy', 'describe', 'destroy']],
    ['sluice key ', ['create', 'list', 'revoke']],
    ['sluice graph --format ', ['dot', 'mermaid']],
    ['sluice plan --al', ['--allow-destroy', '--allow-mass-destroy']],
  ])('offers what fits after `%s`', (line, words) => {
    const offered = printedBy(fish, '-N', '-c', `${fishCompletion(commands)}\ncomplete -C '${line}'`);
    expect(offered.map((text) => text.split('\t')[0])).toEqual(words);
  });
});

describe('completion scripts', () => {
  it('know every command and every option', () => {
    for (const script of [bashCompletion(commands), zshCompletion(commands), fishCompletion(commands)]) {
      for (const { name, options } of commands) {
        for (const word of name.split(' ')) expect(script).toContain(word);
        for (const { long } of options) expect(script).toContain(long.slice(2));
      }
    }
  });
});
