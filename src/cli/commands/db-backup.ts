import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { byteSize } from '../terminal/bytes.ts';
import { printJson } from '../terminal/json.ts';
import { followOperation } from '../watching/database-operation.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Makes a base backup of a database now. One is made every day anyway, and kept with the write-ahead log for `backup_retention_days`; the database serves on meanwhile.',
  arguments: [{ name: 'database', description: 'Name of a database', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice db backup support-db', comment: 'before something risky' }],
  exitCodes: { 130: 'Ctrl-C: the backup goes on without the command' },
  run: async ({ terminal, global, arguments: { database }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentHolding(client, options.environment, 'database', database);
    const before = (await client.status()).lastEvent;
    const operation = await followOperation(client, await client.backUpDatabase(place, database), before, terminal);
    if (global.json) printJson(terminal, operation);
    else
      terminal.out.write(`${operation.address} is backed up: ${operation.backup?.id ?? ''}, ${byteSize(operation.backup?.bytes ?? 0)}.\n`);
    return exitCodes.ok;
  },
});
