import { environmentsOf } from '../changing/planning.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, inEnvironment, reason, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

export const command = defineCommand({
  description:
    'Has a message delivered now that waits for its next attempt, or was given up. It keeps its id, by which a receiver knows whether it has seen it.',
  arguments: [{ name: 'message', description: 'Id of a message, as `sluice notification list` shows it' }],
  options: { environment: inEnvironment, all: flag('Every message that waits or was given up'), reason, stack: stackOption },
  examples: [
    { command: 'sluice notification retry msg-0f3a9c...', comment: 'once its receiver is back' },
    { command: 'sluice notification retry --all', comment: 'everything that has not arrived' },
  ],
  run: async ({ terminal, global, arguments: { message: wanted }, options }) => {
    if ((wanted === undefined) !== options.all) {
      throw sluiceError('usage', { reason: 'Name a message, or pass --all.', command: 'notification retry' });
    }
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const environments = await environmentsOf(client, options.environment);
    const listed = (await Promise.all(environments.map((environment) => client.listNotifications(environment)))).flatMap(
      ({ messages }) => messages,
    );
    const chosen = listed.filter(({ id, status }) => (options.all ? status === 'dead' || status === 'waiting' : id === wanted));
    if (wanted !== undefined && chosen.length === 0) {
      throw sluiceError('unknown_message', { environment: environments.join(', '), id: wanted });
    }
    const retried = [];
    for (const { environment, id } of chosen) {
      const answer = await client.retryMessage(environment, id).catch((error: unknown) => {
        // Delivered, or on its way, since it was listed.
        if (options.all && error instanceof SluiceError && (error.code === 'unknown_message' || error.code === 'message_busy'))
          return undefined;
        throw error;
      });
      if (answer !== undefined) retried.push(answer);
    }
    if (global.json) printJson(terminal, retried);
    else if (retried.length === 0) note(terminal, 'Nothing waits and nothing was given up: all has arrived or is being sent.');
    else for (const { id, to } of retried) terminal.out.write(`${id} is sent to ${to} now.\n`);
    return exitCodes.ok;
  },
});
