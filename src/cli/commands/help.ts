import { defineCommand } from '../command.ts';
import { exitCodeMeanings, exitCodes } from '../exit-codes.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description: 'Without a topic, gives the overview of all commands. `exit-codes` is a topic, too.',
  arguments: [
    { name: 'topic', description: 'A command, or exit-codes' },
    { name: 'subcommand', description: 'A second word, as in `help key create`' },
  ],
  options: {},
  examples: [
    { command: 'sluice help plan', comment: 'all about one command' },
    { command: 'sluice help exit-codes', comment: 'what a script can rely on' },
  ],
  run: async ({ terminal, global, arguments: { topic, subcommand }, cli }) => {
    const words = [topic, subcommand].filter((word) => word !== undefined);
    const text = await cli.help(words);
    if (global.json) printJson(terminal, topic === 'exit-codes' ? { exitCodes: exitCodeMeanings } : { topic: words.join(' '), text });
    else terminal.out.write(text);
    return exitCodes.ok;
  },
});
