import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, holdingEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { renderTable, type Column } from '../terminal/table.ts';
import { environmentHolding } from '../watching/selection.ts';

const columns: readonly Column[] = [
  { title: 'time' },
  { title: 'what' },
  { title: 'by', flexible: true },
  { title: 'serves', flexible: true, below: true },
  { title: 'why', flexible: true, below: true },
];

export const command = defineCommand({
  description: 'What a flag has served, newest first: every apply and every change by hand, who made it and why.',
  arguments: [{ name: 'flag', description: 'Name of a flag', required: true }],
  options: { environment: holdingEnvironment, tail: count('number', 'Only the last so many; default: 100'), stack: stackOption },
  examples: [{ command: 'sluice flag history answer-with-citations', comment: 'who switched it when' }],
  run: async ({ terminal, global, arguments: { flag: name }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    // With an environment named, also of a flag that is gone.
    const place = options.environment ?? (await environmentHolding(client, undefined, 'flag', name));
    const changes = await client.flagHistory(place, name, { limit: options.tail ?? 100 });
    if (global.json) printJson(terminal, changes);
    else {
      const rows = changes.map(({ time, action, by, serves, reason }) => [
        time.slice(0, 19).replace('T', ' '),
        action,
        by,
        serves,
        reason ?? '',
      ]);
      terminal.out.write(renderTable(columns, rows, { width: terminal.out.width(), colors: terminal.out.colors }));
    }
    return exitCodes.ok;
  },
});
