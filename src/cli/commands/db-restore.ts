import { sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, holdingEnvironment, reason, stackOption, text, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { byteSize } from '../terminal/bytes.ts';
import { confirm } from '../terminal/confirm.ts';
import { printJson } from '../terminal/json.ts';
import { followOperation } from '../watching/database-operation.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Takes a database back to what it held at a time: everything committed until then, and exactly then. A second server is made from a base backup and the write-ahead log and checked; then it takes the place of the first, with the same host, port, user, password and name. Until then the database serves on; connections end once, at the swap. What was written after the time is gone from the database but not lost: the data replaced is put aside, and the log can go back to before the restore.',
  arguments: [{ name: 'database', description: 'Name of a database', required: true }],
  options: {
    to: text('time', 'A time with its zone (2026-11-22T10:00:00Z), one of this machine (2026-11-22 10:00:00), or latest'),
    dryRun: flag('Says whether and how it would be done, and changes nothing'),
    yes,
    environment: holdingEnvironment,
    reason,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice db restore support-db --to 2026-11-22T10:00:00Z', comment: 'asks first' },
    { command: "sluice db restore support-db --to '2026-11-22 10:00' --dry-run", comment: 'is it possible?' },
  ],
  exitCodes: {
    0: 'restored; with --dry-run: it is possible',
    1: 'not restored: the database is what it was before',
    64: 'nobody can be asked: pass --yes',
    130: 'Ctrl-C: the restore goes on without the command',
  },
  run: async ({ terminal, global, arguments: { database }, options }) => {
    if (options.to === undefined) throw sluiceError('usage', { reason: '--to is needed: a time, or latest.', command: 'db restore' });
    const to = timeOf(options.to);
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentHolding(client, options.environment, 'database', database);
    const plan = await client.planRestore(place, database, to);
    const how = `from ${plan.backup.id} of ${plan.backup.stoppedAt} (${byteSize(plan.backup.bytes)}) and ${plan.segments} ${plan.segments === 1 ? 'segment' : 'segments'} of the log`;
    if (options.dryRun) {
      if (global.json) printJson(terminal, plan);
      else terminal.out.write(`${place}/database/${database} can go back to ${plan.to}: ${how}. Nothing has been changed.\n`);
      return exitCodes.ok;
    }
    await confirm(terminal, `Take ${place}/database/${database} back to ${plan.to}, ${how}?`, options.yes);
    const before = (await client.status()).lastEvent;
    const operation = await followOperation(client, await client.restoreDatabase(place, database, to), before, terminal);
    if (global.json) printJson(terminal, operation);
    else {
      const last = operation.restored?.recoveredTo;
      terminal.out.write(
        `${operation.address} is what it was at ${plan.to}${last === undefined ? '' : `; its last transaction is of ${last}`}.\n` +
          `To undo this: sluice db restore ${database} --to ${operation.startedAt}\n`,
      );
    }
    return exitCodes.ok;
  },
});

/** A time without a zone is of this machine, as people read it off their clocks and logs. */
export function timeOf(given: string): string {
  if (given === 'latest' || /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(given)) return given;
  const [, date, clock] = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)$/.exec(given) ?? [];
  const local = new Date(`${date ?? ''}T${clock ?? ''}`);
  if (Number.isNaN(local.getTime())) {
    throw sluiceError('usage', { reason: `'${given}' is not a time such as 2026-11-22T10:00:00Z, nor latest.`, command: 'db restore' });
  }
  return local.toISOString();
}
