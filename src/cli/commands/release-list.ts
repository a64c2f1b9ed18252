import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { age } from '../terminal/duration.ts';
import { printJson } from '../terminal/json.ts';
import { renderTable } from '../terminal/table.ts';
import { serviceArgument } from '../watching/release-names.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'The releases of a service that are kept, newest first: the last ten and those in use. To those that are `kept` the service can return; those that `failed` or were `superseded` never came into use, and are tried again with `sluice rollout retry` or by deploying them.',
  arguments: [serviceArgument],
  options: { environment: holdingEnvironment, stack: stackOption },
  examples: [{ command: 'sluice release list conversation-agent', comment: 'ids, versions and which one is stable' }],
  run: async ({ terminal, global, arguments: { service }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentHolding(client, options.environment, 'service', service);
    const releases = await client.listReleases(place, service);
    if (global.json) {
      printJson(terminal, releases);
      return exitCodes.ok;
    }
    const now = systemClock.now();
    const rows = releases.map(({ id, version, state, createdAt }) => [id, version, state, age(createdAt, now)]);
    const columns = [{ title: 'release' }, { title: 'version' }, { title: 'state' }, { title: 'age', align: 'right' }] as const;
    terminal.out.write(renderTable(columns, rows, { width: terminal.out.width(), colors: terminal.out.colors }));
    return exitCodes.ok;
  },
});
