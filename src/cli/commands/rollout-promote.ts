import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { environment, flag, reason, stackOption, text } from '../options.ts';

export const command = defineCommand({
  description:
    'Takes the candidate of a canary or blue/green rollout to its next stage, or to the whole, without waiting any longer: an approval is given, and evidence it is held for is overruled. Its capacity still comes first. Of an experiment it ends the comparison: one arm goes on as the candidate, the plain one unless another is named.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: {
    environment,
    reason,
    stack: stackOption,
    full: flag('To the whole at once'),
    arm: text('name', 'Of an experiment, the arm that goes on; default: candidate'),
  },
  examples: [
    { command: 'sluice rollout promote chat', comment: 'to the next stage' },
    { command: 'sluice rollout promote chat --full --reason "fix for the outage"', comment: 'to all requests' },
    { command: 'sluice rollout promote chat --arm warm', comment: 'the arm of its experiment becomes the candidate' },
  ],
  run: ({ arguments: { service }, ...invocation }) => {
    const { full, arm } = invocation.options;
    return operateRollout(
      service,
      invocation,
      (client, place) => client.promoteRollout(place, service, { full, ...(arm !== undefined && { arm }) }),
      () => `${arm === undefined ? 'is' : `with the arm ${arm} is`} promoted${full ? ' to all requests' : ''}`,
    );
  },
});
