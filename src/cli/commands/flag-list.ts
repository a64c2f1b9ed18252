import type { FlagView } from '../../api/schemas/flag.ts';
import { systemClock } from '../../effects/clock.ts';
import { environmentsOf } from '../changing/planning.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, inEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { age } from '../terminal/duration.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { renderTable, type Column } from '../terminal/table.ts';

const columns: readonly Column[] = [
  { title: 'environment' },
  { title: 'flag' },
  { title: 'serves', flexible: true },
  { title: 'set by', flexible: true, below: true },
  { title: 'evaluations', align: 'right' },
  { title: 'releases', flexible: true, below: true },
  { title: 'last' },
  { title: 'stale', flexible: true, below: true, paint: (text, colors) => colors.yellow(text) },
];

export const command = defineCommand({
  description:
    'Lists the flags that have been applied: what they serve, who has set them by hand, which releases evaluate them and how often, and why one can probably go. Evaluations do not count fetches of all flags at once; a program that fetches so shows as `fetched` where nothing evaluates the flag by itself.',
  arguments: [],
  options: { environment: inEnvironment, stale: flag('Only flags that can probably go'), stack: stackOption },
  examples: [
    { command: 'sluice flag list', comment: 'what is switched how' },
    { command: 'sluice flag list --stale', comment: 'what to take out of the code' },
  ],
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const environments = await environmentsOf(client, options.environment);
    const all = (await Promise.all(environments.map((environment) => client.listFlags(environment)))).flat();
    const flags = options.stale ? all.filter(({ stale }) => stale.length > 0) : all;
    if (global.json) printJson(terminal, flags);
    else if (flags.length === 0) note(terminal, options.stale ? 'No flag looks stale.' : 'No flag has been applied.');
    else {
      const now = systemClock.now();
      const rows = flags.map((view) => row(view, now));
      terminal.out.write(renderTable(columns, rows, { width: terminal.out.width(), colors: terminal.out.colors }));
    }
    return exitCodes.ok;
  },
});

function row({ environment, name, serves, override, usage, stale }: FlagView, now: number): readonly string[] {
  const releases = new Set(usage.uses.flatMap(({ service, release }) => (service === undefined ? [] : [`${service}@${release ?? '?'}`])));
  const evaluations = usage.evaluations === 0 && usage.fetches > 0 ? 'fetched' : String(usage.evaluations);
  return [
    environment,
    name,
    serves,
    override === undefined ? '' : `${override.by}${override.reason === undefined ? '' : ` (${override.reason})`}`,
    evaluations,
    [...releases].join(', '),
    usage.lastAt === undefined ? 'never' : `${age(usage.lastAt, now)} ago`,
    stale.join('; '),
  ];
}
