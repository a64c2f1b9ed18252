import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description: 'Replaces every instance of a service by a fresh one of the same release, without losing a request.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice restart hello', comment: 'one after another' }],
  run: async ({ terminal, global, arguments: { service }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentHolding(client, options.environment, 'service', service);
    const view = await client.restartService(place, service);
    if (global.json) printJson(terminal, view);
    else terminal.out.write(`${view.address} restarts; \`sluice status -w\` shows it.\n`);
    return exitCodes.ok;
  },
});
