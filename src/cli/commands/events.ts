import type { SluiceEvent } from '../../telemetry/events.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, flag, inEnvironment, stackOption, text } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { withInterrupts } from '../terminal/interrupts.ts';
import { printJsonLine } from '../terminal/json.ts';
import { eventLine } from '../watching/event-line.ts';

const pageSize = 500;

export const command = defineCommand({
  description:
    'What happened, oldest first: every event has a sequence number, and --after goes on after one. Nothing is skipped or repeated.',
  arguments: [],
  options: {
    follow: flag('Goes on with new events until Ctrl-C', 'f'),
    after: count('sequence', 'Only events after this one; default: 0, all of them'),
    run: text('id', 'Only events of one run'),
    environment: inEnvironment,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice events | tail', comment: 'the last ones' },
    { command: 'sluice events -f -e production', comment: 'watch one environment' },
    { command: 'sluice events --after 120 --json', comment: 'one document per line, for a program' },
  ],
  exitCodes: { 0: 'done', 130: '-f: ended by Ctrl-C' },
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const filter = {
      ...(options.environment !== undefined && { environment: options.environment }),
      ...(options.run !== undefined && { run: options.run }),
    };
    const print = (event: SluiceEvent): void => {
      if (global.json) printJsonLine(terminal, event);
      else terminal.out.write(`${eventLine(event, terminal.out)}\n`);
    };
    if (!options.follow) {
      for (let after = options.after ?? 0; ; ) {
        const { items, last } = await client.listEvents({ ...filter, after, limit: pageSize });
        items.forEach(print);
        if (last <= after) return exitCodes.ok;
        after = last;
      }
    }
    return withInterrupts(async ({ first }) => {
      for await (const event of client.followEvents({ ...filter, after: options.after ?? 0, signal: first })) print(event);
      return first.aborted ? exitCodes.interrupted : exitCodes.ok;
    });
  },
});
