import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, holdingEnvironment, reason, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { previewFlag, undoing } from '../changing/flag-override.ts';
import { environmentOfFlag } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Serves the default of a flag to everybody, whatever its rules say. It asks no questions: connected clients have it in less than a second, without a deployment. It stays until `sluice flag set FLAG --clear`.',
  arguments: [{ name: 'flag', description: 'Name of a flag', required: true }],
  options: { environment: holdingEnvironment, dryRun: flag('Only says what would change, and for whom'), reason, stack: stackOption },
  examples: [
    { command: 'sluice flag kill answer-with-citations --reason "wrong sources"', comment: 'off for everybody' },
    { command: 'sluice flag kill answer-with-citations --dry-run', comment: 'who would see it' },
    { command: 'sluice flag set answer-with-citations --clear', comment: 'as before' },
  ],
  exitCodes: { 0: 'killed; with --dry-run: it is killed already', 2: '--dry-run: it would be changed' },
  run: async ({ terminal, global, arguments: { flag: name }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentOfFlag(client, options.environment, name);
    if (options.dryRun) {
      return previewFlag(client, { environment: place, flag: name }, { change: 'kill' }, { terminal, json: global.json });
    }
    const view = await client.killFlag(place, name);
    if (global.json) printJson(terminal, view);
    else {
      terminal.out.write(`${view.address} serves ${view.serves}.\n`);
      note(terminal, undoing(place, name));
    }
    return exitCodes.ok;
  },
});
