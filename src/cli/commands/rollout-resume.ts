import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { holdingEnvironment, reason, stackOption } from '../options.ts';

export const command = defineCommand({
  description: 'Lets a paused rollout go on where it was. It gives no approval: `sluice rollout promote` does.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment: holdingEnvironment, reason, stack: stackOption },
  examples: [{ command: 'sluice rollout resume chat', comment: 'goes on' }],
  run: ({ arguments: { service }, ...invocation }) =>
    operateRollout(
      service,
      invocation,
      (client, place) => client.resumeRollout(place, service),
      () => 'goes on',
    ),
});
