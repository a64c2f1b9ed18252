import type { ResourceView } from '../../api/schemas/resource.ts';
import type { ServiceView } from '../../api/schemas/service.ts';
import type { SluiceEvent } from '../../telemetry/events.ts';
import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment as environmentOption, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { renderFields, renderTable } from '../terminal/table.ts';
import type { Channel } from '../terminal/terminal.ts';
import { curlFor } from '../watching/call-example.ts';
import { eventLine } from '../watching/event-line.ts';
import { environmentHolding, resourceWord } from '../watching/selection.ts';
import { instanceColumns, instanceRow } from '../watching/service-tables.ts';

const eventsShown = 10;

interface Description {
  readonly resource: ResourceView;
  readonly service?: ServiceView;
  readonly events: readonly SluiceEvent[];
}

export const command = defineCommand({
  description:
    'Everything about one resource: what was declared, its outputs (secret ones masked), what it depends on, its instances and its last events.',
  arguments: [
    { name: 'resource', description: 'KIND/NAME, for example service/hello; or an address ENVIRONMENT/KIND/NAME', required: true },
  ],
  options: { environment: environmentOption, stack: stackOption },
  examples: [
    { command: 'sluice describe service/hello', comment: 'with instances and events' },
    { command: 'sluice describe production/database/support-db --json', comment: 'by its address' },
  ],
  run: async ({ terminal, global, arguments: { resource: word }, options }) => {
    const { kind, name, environment } = resourceWord(word);
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const where = await environmentHolding(client, environment ?? options.environment, kind, name);
    const [resource, service, events] = await Promise.all([
      client.getResource(where, kind, name),
      kind === 'service' ? client.getService(where, name) : undefined,
      lastEvents((after) => client.listEvents({ address: `${where}/${kind}/${name}`, limit: 1_000, after })),
    ]);
    const description: Description = { resource, ...(service && { service }), events };
    if (global.json) printJson(terminal, description);
    else terminal.out.write(render(description, terminal.out, systemClock.now()));
    return exitCodes.ok;
  },
});

/** The newest events of a log that can only be read forward. */
async function lastEvents(
  page: (after: number) => Promise<{ items: readonly SluiceEvent[]; last: number }>,
): Promise<readonly SluiceEvent[]> {
  let newest: readonly SluiceEvent[] = [];
  for (let after = 0; ; ) {
    const { items, last } = await page(after);
    newest = [...newest, ...items].slice(-eventsShown);
    if (last <= after) return newest;
    after = last;
  }
}

function render({ resource, service, events }: Description, channel: Channel, now: number): string {
  const { colors } = channel;
  const heading = (text: string): string => `\n${colors.bold(text)}\n`;
  const outputs = Object.entries(resource.outputs).map(([name, output]): [string, string] => [
    name,
    'value' in output ? (typeof output.value === 'string' ? output.value : JSON.stringify(output.value)) : '(secret)',
  ]);
  const parts = [
    `${colors.bold(resource.address)}\n`,
    renderFields(
      [
        ['status', resource.status],
        ...optional('condition', (resource.conditions ?? []).map(({ message }) => message).join('\n')),
        ...optional('copy', resource.copy === undefined ? '' : `${resource.copy.role} copy of ${resource.copy.of}`),
        ['provider', resource.provider],
        ['id', resource.id],
        ['created', resource.createdAt],
        ['updated', resource.updatedAt],
        ...optional('depends on', resource.dependencies.join('\n')),
      ],
      colors,
    ),
    heading('Declared'),
    renderFields(
      Object.entries(resource.declared).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
      colors,
      { indent: '  ' },
    ),
  ];
  if (outputs.length > 0) parts.push(heading('Outputs'), renderFields(outputs, colors, { indent: '  ' }));
  if (service !== undefined) {
    const curl = curlFor(service);
    parts.push(
      heading('Service'),
      renderFields(
        [
          ['phase', service.phase],
          ['ready', `${service.replicas.ready} of ${service.replicas.desired}`],
          ['release', [service.version, service.release].filter((word) => word !== undefined).join(' ')],
          ...optional('candidate', service.candidate && `${service.candidateVersion ?? ''} ${service.candidate}`),
          ...optional('message', service.message),
          ...optional('urls', service.urls.join('\n')),
        ],
        colors,
        { indent: '  ' },
      ),
      heading('Instances'),
      renderTable(
        instanceColumns,
        service.instances.map((instance) => instanceRow(instance, now)),
        { width: channel.width(), colors },
      ),
    );
    if (curl !== undefined) parts.push(heading('Try'), `  ${curl}\n`);
  }
  if (events.length > 0) parts.push(heading('Last events'), ...events.map((event) => `${eventLine(event, channel)}\n`));
  return parts.join('');
}

/** A row for what is there. */
function optional(name: string, value: string | undefined): readonly (readonly [string, string])[] {
  return value === undefined || value === '' ? [] : [[name, value]];
}
