import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';

export const command = defineCommand({
  description:
    'Lets nothing new happen to a rollout until it is resumed. Weights stay as they are, and evidence against the candidate still takes it back.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice rollout pause chat --reason "looking into a complaint"', comment: 'stands still' }],
  run: ({ arguments: { service }, ...invocation }) =>
    operateRollout(
      service,
      invocation,
      (client, place) => client.pauseRollout(place, service),
      () => 'is paused',
    ),
});
