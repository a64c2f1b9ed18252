import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';

export const command = defineCommand({
  description: 'Tries the release that was taken back once more, from the beginning and with fresh evidence.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice rollout retry chat', comment: 'once more' }],
  run: ({ arguments: { service }, ...invocation }) =>
    operateRollout(
      service,
      invocation,
      (client, place) => client.retryRollout(place, service),
      () => 'tries the release that failed once more',
    ),
});
