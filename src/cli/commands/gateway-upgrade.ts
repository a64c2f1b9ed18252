import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { reason, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Replaces the processes of the gateway by new ones of the version of Sluice that is installed, which take over its sockets: no connection is refused, and what runs has five minutes to finish. If the new ones do not serve, all stays as it is. A control plane that finds a gateway of another version does this by itself.',
  arguments: [],
  options: { reason, stack: stackOption },
  examples: [{ command: 'sluice gateway upgrade', comment: 'after PATH or settings.json of the gateway have changed' }],
  exitCodes: { 0: 'the new processes serve', 1: 'they do not; the old ones serve on' },
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const upgraded = await client.upgradeGateway();
    const { pid, replaced, version } = upgraded;
    if (global.json) printJson(terminal, upgraded);
    else terminal.out.write(`The gateway is process ${pid} of version ${version} now; process ${replaced} finishes what it had.\n`);
    return exitCodes.ok;
  },
});
