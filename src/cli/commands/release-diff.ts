import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { releasesNamed, releaseWords, serviceArgument } from '../watching/release-names.ts';
import { renderDifference } from '../watching/release-page.ts';
import { environmentHolding } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'What changed between two releases, in words: code, prompts word by word, model, policy, variables, command, API and migrations; secrets only by their references. With one release, what it changed; with none, what the candidate or the newest release changes beside the stable one.',
  arguments: [
    serviceArgument,
    { name: 'a', description: `The first release: ${releaseWords}` },
    { name: 'b', description: 'The second release, named in the same way' },
  ],
  options: { environment: holdingEnvironment, stack: stackOption },
  examples: [
    { command: 'sluice release diff conversation-agent', comment: 'what the rollout under way brings' },
    { command: 'sluice release diff conversation-agent 1.0.0 1.1.0', comment: 'between two versions' },
  ],
  run: async ({ terminal, global, arguments: { service, a, b }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentHolding(client, options.environment, 'service', service);
    const ids = await releasesNamed(client, { environment: place, service }, { from: a, to: b });
    const difference = await client.compareReleases(place, service, ids);
    if (global.json) printJson(terminal, difference);
    else terminal.out.write(renderDifference(difference, terminal.out.colors));
    return exitCodes.ok;
  },
});
