import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { undoing } from '../changing/flag-override.ts';
import { environmentOfFlag } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Serves the default of a flag to everybody, whatever its rules say. It asks no questions: connected clients have it in less than a second, without a deployment. It stays until `sluice flag set FLAG --clear`.',
  arguments: [{ name: 'flag', description: 'Name of a flag', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [
    { command: 'sluice flag kill answer-with-citations --reason "wrong sources"', comment: 'off for everybody' },
    { command: 'sluice flag set answer-with-citations --clear', comment: 'as before' },
  ],
  run: async ({ terminal, global, arguments: { flag: name }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentOfFlag(client, options.environment, name);
    const view = await client.killFlag(place, name);
    if (global.json) printJson(terminal, view);
    else {
      terminal.out.write(`${view.address} serves ${view.serves}.\n`);
      note(terminal, undoing(place, name));
    }
    return exitCodes.ok;
  },
});
