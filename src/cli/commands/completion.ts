import type { CompletionCommand } from '../completion/words.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { printJson } from '../terminal/json.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export const command = defineCommand({
  description: 'Prints a script that completes commands, options, kinds and files. Nothing is installed: the shell has to load it.',
  arguments: [{ name: 'shell', description: shells.join(', '), required: true, choices: shells }],
  options: {},
  examples: [
    { command: 'source <(sluice completion bash)', comment: 'in ~/.bashrc' },
    { command: 'source <(sluice completion zsh)', comment: 'in ~/.zshrc, after compinit' },
    { command: 'sluice completion fish | source', comment: 'in ~/.config/fish/config.fish' },
  ],
  run: async ({ terminal, global, arguments: { shell }, cli }) => {
    const { completionCommands } = await import('../completion/words.ts');
    const commands = completionCommands(await cli.commands());
    const script = await scriptFor(shell as (typeof shells)[number], commands);
    if (global.json) printJson(terminal, { shell, script });
    else terminal.out.write(script);
    return exitCodes.ok;
  },
});

async function scriptFor(shell: (typeof shells)[number], commands: readonly CompletionCommand[]): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashCompletion(commands);
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshCompletion(commands);
    case 'fish':
      return (await import('../completion/fish.ts')).fishCompletion(commands);
    default:
      return shell satisfies never;
  }
}
