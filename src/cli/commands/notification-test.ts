import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description: 'Sends a sample to the receiver of a notification, in its format and signed as it would be, and says what came of it.',
  arguments: [{ name: 'notification', description: 'Name of a notification', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice notification test team-channel', comment: 'does it arrive?' }],
  exitCodes: { 1: 'It was not delivered' },
  run: async ({ terminal, global, arguments: { notification: name }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentHolding(client, options.environment, 'notification', name);
    const trial = await client.testNotification(place, name);
    if (global.json) printJson(terminal, trial);
    else if (trial.delivered) terminal.out.write(`${name} has taken it, after ${trial.tookMs} ms.\n`);
    else {
      terminal.out.write(`${name} could not be told: ${trial.reason ?? ''}.\n`);
      note(
        terminal,
        `Correct its url or its receiver and test again; what waits is tried again by itself, or now by \`sluice notification retry --all\`.`,
      );
    }
    return trial.delivered ? exitCodes.ok : exitCodes.error;
  },
});
