import { defineCommand } from '../command.ts';
import { inEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { showRepeatedly } from '../watching/repeat.ts';
import { readTraffic, renderTraffic } from '../watching/traffic-page.ts';

export const command = defineCommand({
  description:
    'The traffic of every release, the busiest first, shown again every second until Ctrl-C. What the columns are: sluice help gateway status.',
  arguments: [],
  options: { environment: inEnvironment, stack: stackOption },
  examples: [
    { command: 'sluice gateway top', comment: 'watch all traffic' },
    { command: 'sluice gateway top -e production', comment: 'watch one environment' },
    { command: 'sluice gateway top --json', comment: 'one document per line, for a program' },
  ],
  exitCodes: { 130: 'ended by Ctrl-C' },
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    return showRepeatedly(terminal, () => readTraffic(client, options.environment), {
      json: global.json,
      render: (view) => renderTraffic(view, terminal.out),
    });
  },
});
