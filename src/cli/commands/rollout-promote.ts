import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { environment, flag, reason, stackOption } from '../options.ts';

export const command = defineCommand({
  description:
    'Takes the candidate of a canary or blue/green rollout to its next stage, or to the whole, without waiting any longer: an approval is given, and evidence it is held for is overruled. Its capacity still comes first.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment, reason, stack: stackOption, full: flag('To the whole at once') },
  examples: [
    { command: 'sluice rollout promote chat', comment: 'to the next stage' },
    { command: 'sluice rollout promote chat --full --reason "fix for the outage"', comment: 'to all requests' },
  ],
  run: ({ arguments: { service }, ...invocation }) =>
    operateRollout(
      service,
      invocation,
      (client, place) => client.promoteRollout(place, service, { full: invocation.options.full }),
      () => (invocation.options.full ? 'is promoted to all requests' : 'is promoted'),
    ),
});
