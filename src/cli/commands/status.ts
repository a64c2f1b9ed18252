import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, inEnvironment, stackArgument } from '../options.ts';
import { createLiveArea } from '../progress/live-area.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { withInterrupts } from '../terminal/interrupts.ts';
import { printJson, printJsonLine } from '../terminal/json.ts';
import { readStatus, renderStatus } from '../watching/status-page.ts';

const refreshMs = 1_000;

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
    let report = await read();
    if (!options.watch) {
      if (global.json) printJson(terminal, report);
      else terminal.out.write(render(report));
      return exitCodes.ok;
    }
    const live = terminal.out.live && !global.json;
    const area = live ? createLiveArea(terminal.out, (height) => render(report).trimEnd().split('\n').slice(0, height)) : undefined;
    const show = (): void => {
      if (global.json) printJsonLine(terminal, report);
      else if (!area) terminal.out.write(`${render(report)}\n`);
    };
    return withInterrupts(async ({ first }) => {
      try {
        while (!first.aborted) {
          show();
          await systemClock.sleep(refreshMs, first).catch(() => undefined);
          if (!first.aborted) report = await read();
        }
      } finally {
        area?.end();
      }
      return exitCodes.interrupted;
    });
  },
});
