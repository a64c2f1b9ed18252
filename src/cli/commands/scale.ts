import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, reason, stackOption, wholeNumber } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Sets how many instances a service has, until the stack is applied with another number. Instances that go finish their requests first.',
  arguments: [
    { name: 'service', description: 'Name of a service', required: true },
    { name: 'replicas', description: 'How many instances', required: true },
  ],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice scale hello 3', comment: 'three instances' }],
  run: async ({ terminal, global, arguments: { service, replicas: given }, options }) => {
    const replicas = wholeNumber('The number of replicas', given);
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentHolding(client, options.environment, 'service', service);
    const view = await client.scaleService(place, service, replicas);
    if (global.json) printJson(terminal, view);
    else
      terminal.out.write(
        `${view.address} scales to ${replicas} ${replicas === 1 ? 'instance' : 'instances'}; \`sluice status -w\` shows it.\n`,
      );
    return exitCodes.ok;
  },
});
