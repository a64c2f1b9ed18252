import type { Client } from '../../api/client.ts';
import type { ResourceView } from '../../api/schemas/resource.ts';
import { systemClock } from '../../effects/clock.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { environmentsOf } from '../changing/planning.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { inEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { age } from '../terminal/duration.ts';
import { printJson } from '../terminal/json.ts';
import { renderTable, type Column } from '../terminal/table.ts';
import { note } from '../terminal/note.ts';
import { conditionCell, conditionColumn } from '../watching/conditions.ts';
import { paintState } from '../watching/paint-state.ts';
import { environmentHolding, kindOf } from '../watching/selection.ts';
import { serviceColumns, serviceRow } from '../watching/service-tables.ts';

const columns: readonly Column[] = [
  { title: 'name' },
  { title: 'kind' },
  { title: 'environment', flexible: true },
  { title: 'status', paint: paintState },
  { title: 'provider' },
  { title: 'outputs', flexible: true, below: true },
  { title: 'age', align: 'right' },
];

export const command = defineCommand({
  description:
    'Lists what has been applied: all of a kind, or one by name. Kinds may be written in the plural and with hyphens; `all` is every kind. Secret outputs are never shown.',
  arguments: [
    { name: 'kind', description: 'A kind of the language, or all', required: true, completes: 'kinds' },
    { name: 'name', description: 'Only the resource of this name' },
  ],
  options: { environment: inEnvironment, stack: stackOption },
  examples: [
    { command: 'sluice get services', comment: 'every service' },
    { command: 'sluice get database agent-state-db --json', comment: 'all about one, for a program' },
    { command: 'sluice get all -e staging', comment: 'one environment' },
  ],
  run: async ({ terminal, global, arguments: { kind: word, name }, options }) => {
    const kind = word.toLowerCase() === 'all' ? undefined : kindOf(word);
    if (kind === undefined && name !== undefined) throw sluiceError('usage', { reason: 'A name needs a kind.', command: 'get' });
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const look = { width: terminal.out.width(), colors: terminal.out.colors };

    if (kind === 'service') {
      const services = (await inEach(client, options.environment, (environment) => client.listServices(environment))).filter(
        (service) => name === undefined || service.name === name,
      );
      if (name !== undefined && services.length === 0) await environmentHolding(client, options.environment, kind, name);
      if (global.json) printJson(terminal, name === undefined ? services : services.length === 1 ? services[0] : services);
      else if (services.length === 0) note(terminal, 'There is no service.');
      else terminal.out.write(renderTable(serviceColumns, services.map(serviceRow), look));
      return exitCodes.ok;
    }

    const resources = (await inEach(client, options.environment, (environment) => client.listResources(environment))).filter(
      (resource) => (kind === undefined || resource.kind === kind) && (name === undefined || resource.name === name),
    );
    if (kind !== undefined && name !== undefined && resources.length === 0)
      await environmentHolding(client, options.environment, kind, name);
    if (global.json) printJson(terminal, name === undefined ? resources : resources.length === 1 ? resources[0] : resources);
    else if (resources.length === 0) note(terminal, kind === undefined ? 'Nothing has been applied yet.' : `There is no ${kind}.`);
    else {
      const now = systemClock.now();
      terminal.out.write(
        renderTable(
          resources.some(({ conditions = [] }) => conditions.length > 0) ? [...columns, conditionColumn] : columns,
          resources.map((resource) => row(resource, now)),
          look,
        ),
      );
    }
    return exitCodes.ok;
  },
});

async function inEach<Item>(
  client: Client,
  environment: string | undefined,
  list: (environment: string) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  return (await Promise.all((await environmentsOf(client, environment)).map(list))).flat();
}

function row(resource: ResourceView, now: number): readonly string[] {
  return [
    resource.name,
    resource.kind,
    resource.environment,
    resource.status,
    resource.provider,
    Object.entries(resource.outputs)
      .flatMap(([name, output]) => ('value' in output && typeof output.value !== 'object' ? [`${name}=${String(output.value)}`] : []))
      .join(' '),
    age(resource.createdAt, now),
    conditionCell(resource),
  ];
}
