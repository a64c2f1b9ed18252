import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, holdingEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { showRepeatedly } from '../watching/repeat.ts';
import { endOf, readRollout, renderRollout, type RolloutReport } from '../watching/rollout-page.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'The rollout of a service: how requests are shared out, the instances of each release, the stage and what it waits for, and the evidence in words. Confidence intervals are always valid: looking often makes no false alarm.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: {
    environment: holdingEnvironment,
    stack: stackOption,
    watch: flag('Shows it again every second until the rollout has ended; with --json one document per line', 'w'),
  },
  examples: [
    { command: 'sluice rollout status chat', comment: 'as it is now' },
    { command: 'sluice rollout status chat -w', comment: 'until it has ended, whichever way' },
  ],
  exitCodes: { 1: '-w: the candidate was taken back', 130: '-w: ended by Ctrl-C; the rollout goes on' },
  run: async ({ terminal, global, arguments: { service }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentHolding(client, options.environment, 'service', service);
    const read = () => readRollout(client, place, service);
    const render = (report: RolloutReport): string => renderRollout(report, terminal.out, systemClock.now());
    if (options.watch) return showRepeatedly(terminal, read, { json: global.json, render, endOf });
    const report = await read();
    if (global.json) printJson(terminal, report);
    else terminal.out.write(render(report));
    return exitCodes.ok;
  },
});
