import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, flag, holdingEnvironment, stackOption, text } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { withInterrupts } from '../terminal/interrupts.ts';
import { printJsonLine } from '../terminal/json.ts';
import type { LogLine } from '../../api/schemas/service.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'What the instances wrote to standard output and error, each line after the name of its instance. The lines are given as they are, colours and control characters included.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: {
    follow: flag('Goes on with new lines until Ctrl-C', 'f'),
    tail: count('lines', 'How many lines of each instance to begin with; default: 100'),
    instance: text('id', 'Only this instance'),
    environment: holdingEnvironment,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice logs hello', comment: 'the last lines' },
    { command: 'sluice logs conversation-agent -f --tail 0', comment: 'only what is new' },
    { command: 'sluice logs hello --json', comment: 'one document per line' },
  ],
  exitCodes: { 0: 'done', 130: '-f: ended by Ctrl-C' },
  run: async ({ terminal, global, arguments: { service }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentHolding(client, options.environment, 'service', service);
    const query = {
      ...(options.tail !== undefined && { tail: options.tail }),
      ...(options.instance !== undefined && { instance: options.instance }),
    };
    const print = (line: LogLine): void => {
      if (global.json) printJsonLine(terminal, line);
      else terminal.out.write(`${terminal.out.colors.dim(`${line.instance} │`)} ${line.line}\n`);
    };
    if (!options.follow) {
      for (const line of await client.readLogs(place, service, query)) print(line);
      return exitCodes.ok;
    }
    return withInterrupts(async ({ first }) => {
      for await (const line of client.followLogs(place, service, { ...query, signal: first })) print(line);
      return first.aborted ? exitCodes.interrupted : exitCodes.ok;
    });
  },
});
