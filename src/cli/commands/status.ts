import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, inEnvironment, stackArgument } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { showRepeatedly } from '../watching/repeat.ts';
import { readStatus, renderStatus } from '../watching/status-page.ts';

export const command = defineCommand({
  description: 'The control plane and its gateway, every service with its instances that are ready, every other resource with its status.',
  arguments: [stackArgument],
  options: { environment: inEnvironment, watch: flag('Shows it again every second until Ctrl-C; with --json one document per line', 'w') },
  examples: [
    { command: 'sluice status', comment: 'the stack of the current folder' },
    { command: 'sluice status -w -e staging', comment: 'watch one environment' },
  ],
  run: async ({ terminal, global, arguments: { stack }, options }) => {
    const { client } = await connect(homeTarget({ stack }, global, terminal), terminal);
    const read = () => readStatus(client, options.environment);
    const render = (report: Awaited<ReturnType<typeof read>>): string => renderStatus(report, terminal.out, systemClock.now());
    if (options.watch) return showRepeatedly(terminal, read, { json: global.json, render });
    const report = await read();
    if (global.json) printJson(terminal, report);
    else terminal.out.write(render(report));
    return exitCodes.ok;
  },
});
