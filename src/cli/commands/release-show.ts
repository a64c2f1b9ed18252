import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { renderFields } from '../terminal/table.ts';
import { escapeControls } from '../terminal/text.ts';
import { releaseNamed, releaseWords, serviceArgument } from '../watching/release-names.ts';
import { renderRisk } from '../watching/release-page.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description: 'One release of a service: what it is made of, what it changed, and how risky that was.',
  arguments: [serviceArgument, { name: 'release', description: `The release: ${releaseWords}. Default: latest` }],
  options: { environment: holdingEnvironment, stack: stackOption },
  examples: [
    { command: 'sluice release show conversation-agent', comment: 'the newest one' },
    { command: 'sluice release show conversation-agent stable --json', comment: 'the one in use' },
  ],
  run: async ({ terminal, global, arguments: { service, release: word }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentHolding(client, options.environment, 'service', service);
    const { id } = releaseNamed(word ?? 'latest', await client.listReleases(place, service), service);
    const release = await client.getRelease(place, service, id);
    if (global.json) {
      printJson(terminal, release);
      return exitCodes.ok;
    }
    const { colors } = terminal.out;
    const { command: argv, environment: variables, model, image, digests } = release.content;
    const made: (readonly [string, string])[] = [
      ['state', release.state],
      ['created', release.createdAt],
      ['digest', release.digest],
      ['command', argv.length === 0 ? "the image's own" : argv.join(' ')],
      ...(image === undefined ? [] : [['image', `${image} ${digests['image'] ?? ''}`] as const]),
      ...(model ? [['model', JSON.stringify(model)] as const] : []),
      ...Object.entries(variables).map(([name, value]) => [`env ${name}`, value] as const),
      ...Object.entries(digests).filter(([part]) => part !== 'image' || image === undefined),
    ];
    const changed = release.before === undefined ? 'What it is' : `What it changed from ${release.before}`;
    const sections = [
      `${colors.bold(`${release.service} ${release.version} ${release.id}`)}\n${renderFields(made, colors).trimEnd()}`,
      [colors.bold(changed), ...release.words.map((line) => `  ${escapeControls(line)}`)].join('\n'),
      ...(release.risk ? [renderRisk(release.risk, colors)] : []),
    ];
    terminal.out.write(`${sections.join('\n\n')}\n`);
    return exitCodes.ok;
  },
});
