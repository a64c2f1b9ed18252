import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';

export const command = defineCommand({
  description:
    'Gives the candidate up: every new request goes to the stable release at once, whose instances never went. The release is not tried again until something about it changes, or with `sluice rollout retry`.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice rollout abort chat --reason "answers in the wrong tone"', comment: 'back to stable' }],
  run: ({ arguments: { service }, ...invocation }) =>
    operateRollout(
      service,
      invocation,
      (client, place) => client.abortRollout(place, service),
      () => 'goes back to its stable release',
    ),
});
