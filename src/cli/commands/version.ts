import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { printJson } from '../terminal/json.ts';
import { productVersion } from '../../control-plane/product-version.ts';

export const command = defineCommand({
  description: 'Prints the version of Sluice; with --json also those of Node and of the platform it runs on.',
  arguments: [],
  options: {},
  examples: [{ command: 'sluice version --json', comment: 'for a bug report' }],
  run: async ({ terminal, global }) => {
    const version = productVersion;
    if (global.json) printJson(terminal, { version, node: process.versions.node, platform: `${process.platform}-${process.arch}` });
    else terminal.out.write(`${version}\n`);
    return exitCodes.ok;
  },
});
