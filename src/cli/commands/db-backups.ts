import type { DatabaseBackups } from '../../api/schemas/database.ts';
import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { byteSize } from '../terminal/bytes.ts';
import { age } from '../terminal/duration.ts';
import { printJson } from '../terminal/json.ts';
import { renderFields, renderTable, type Column } from '../terminal/table.ts';
import type { Channel } from '../terminal/terminal.ts';
import { environmentHolding } from '../watching/selection.ts';

const columns: readonly Column[] = [
  { title: 'base backup' },
  { title: 'restores from' },
  { title: 'size', align: 'right' },
  { title: 'age', align: 'right' },
];

export const command = defineCommand({
  description:
    'Lists the base backups of a database and the stretches of time it can go back to. Any time within a stretch can be given to `sluice db restore`.',
  arguments: [{ name: 'database', description: 'Name of a database', required: true }],
  options: { environment: holdingEnvironment, stack: stackOption },
  examples: [{ command: 'sluice db backups support-db', comment: 'how far back it can go' }],
  run: async ({ terminal, global, arguments: { database }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentHolding(client, options.environment, 'database', database);
    const backups = await client.listBackups(place, database);
    if (global.json) printJson(terminal, backups);
    else terminal.out.write(renderBackups(backups, terminal.out, systemClock.now()));
    return exitCodes.ok;
  },
});

export function renderBackups(
  { retentionDays, items, restorable, replaced }: DatabaseBackups,
  channel: Pick<Channel, 'colors' | 'width'>,
  now: number,
): string {
  const { colors } = channel;
  const stretches = restorable.map(({ from, to }) => `${from} to ${to ?? 'now'}`).join('\n');
  const facts = renderFields(
    [
      ['kept', retentionDays === 0 ? 'no backups' : `${retentionDays} ${retentionDays === 1 ? 'day' : 'days'}`],
      ['can go back to', stretches === '' ? 'no time yet' : stretches],
      ...replaced.map(({ folder, at }): [string, string] => ['put aside', `${folder} (by the restore of ${at})`]),
    ],
    colors,
  );
  if (items.length === 0) return facts;
  const rows = items.map(({ id, stoppedAt, bytes }) => [id, stoppedAt, byteSize(bytes), age(stoppedAt, now)]);
  return `${facts}\n${renderTable(columns, rows, { width: channel.width(), colors })}`;
}
