import type { ResourceView } from '../../api/schemas/resource.ts';
import { environmentsOf } from '../changing/planning.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { inEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import { paintState } from '../watching/paint-state.ts';

const columns: readonly Column[] = [
  { title: 'address', flexible: true },
  { title: 'status', paint: paintState },
  { title: 'provider' },
  { title: 'id', flexible: true },
];

export const command = defineCommand({
  description: 'Lists every resource that is recorded, with its address and the id its provider knows it by.',
  arguments: [],
  options: { environment: inEnvironment, stack: stackOption },
  examples: [{ command: 'sluice state list -e production', comment: 'one environment' }],
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const environments = await environmentsOf(client, options.environment);
    const resources = (await Promise.all(environments.map((name) => client.listResources(name)))).flat();
    if (global.json) printJson(terminal, resources);
    else if (resources.length === 0) note(terminal, 'Nothing is recorded.');
    else terminal.out.write(renderTable(columns, resources.map(row), { width: terminal.out.width(), colors: terminal.out.colors }));
    return exitCodes.ok;
  },
});

function row({ address, status, provider, id, copy }: ResourceView): readonly string[] {
  return [copy === undefined ? address : `${address} (${copy.role} copy of ${copy.of})`, status, provider, id];
}
