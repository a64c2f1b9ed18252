import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment as environmentOption, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { addressArgument, environmentHolding, resourceWord } from '../watching/selection.ts';

export const command = defineCommand({
  description: 'Prints the record of one resource as JSON. Secret outputs are masked.',
  arguments: [addressArgument],
  options: { environment: environmentOption, stack: stackOption },
  examples: [{ command: 'sluice state show database/support-db', comment: 'what is recorded of it' }],
  run: async ({ terminal, global, arguments: { address: word }, options }) => {
    const { kind, name, environment } = resourceWord(word);
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const where = await environmentHolding(client, environment ?? options.environment, kind, name);
    terminal.out.write(`${JSON.stringify(await client.getResource(where, kind, name), undefined, 2)}\n`);
    return exitCodes.ok;
  },
});
