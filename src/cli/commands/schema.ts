import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Prints the JSON Schema of the language, with the documentation of every field. Editors with yaml-language-server complete and check stacks by it: save it and put `# yaml-language-server: $schema=sluice.schema.json` into the first line of a stack.',
  arguments: [],
  options: {},
  examples: [{ command: 'sluice schema > sluice.schema.json', comment: 'for the editor' }],
  run: async ({ terminal }) => {
    const { stackJsonSchema } = await import('../../stack/schema.ts');
    printJson(terminal, stackJsonSchema());
    return exitCodes.ok;
  },
});
