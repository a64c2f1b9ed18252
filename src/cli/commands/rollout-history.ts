import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { renderHistory } from '../watching/rollout-page.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Every rollout of a service, the latest first: what was to come into use, who began it, and how it ended. The last fifty are kept.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment: holdingEnvironment, stack: stackOption },
  examples: [
    { command: 'sluice rollout history chat', comment: 'a line each' },
    { command: 'sluice rollout history chat --json', comment: 'with the evidence each ended with' },
  ],
  run: async ({ terminal, global, arguments: { service }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentHolding(client, options.environment, 'service', service);
    const records = await client.listRollouts(place, service);
    if (global.json) printJson(terminal, records);
    else terminal.out.write(renderHistory(records, terminal.out, systemClock.now()));
    return exitCodes.ok;
  },
});
