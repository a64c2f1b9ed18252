import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { count, environment, flag, reason, stackOption, text } from '../options.ts';

export const command = defineCommand({
  description:
    'Takes the candidate of a canary or blue/green rollout to its next stage, or to the whole, without waiting any longer: an approval is given, and evidence it is held for is overruled. Its capacity still comes first. Of an experiment it ends the comparison: one arm goes on as the candidate, the plain one unless another is named. It names the stage it has found, so that two people who promote at the same moment go one stage and not two.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: {
    environment,
    reason,
    stack: stackOption,
    full: flag('To the whole at once'),
    from: count('stage', 'Only if it is still at this stage; counts from 1. Default: the one it is at'),
    arm: text('name', 'Of an experiment, the arm that goes on; default: candidate'),
  },
  examples: [
    { command: 'sluice rollout promote chat', comment: 'to the next stage' },
    { command: 'sluice rollout promote chat --from 2', comment: 'in a script: however often it runs, to the third stage' },
    { command: 'sluice rollout promote chat --full --reason "fix for the outage"', comment: 'to all requests' },
    { command: 'sluice rollout promote chat --arm warm', comment: 'the arm of its experiment becomes the candidate' },
  ],
  run: ({ arguments: { service }, ...invocation }) => {
    const { full, arm, from: wanted } = invocation.options;
    let isOver = false;
    const promoted = `${arm === undefined ? 'is' : `with the arm ${arm} is`} promoted${full ? ' to all requests' : ''}`;
    return operateRollout(
      service,
      invocation,
      async (client, place) => {
        const { rollout, release = '' } = await client.getService(place, service);
        const current = rollout?.stages?.current;
        isOver = wanted !== undefined && !full && (current === undefined ? rollout === undefined : current > wanted);
        const stage = wanted ?? current;
        const from = stage === undefined ? undefined : { release: rollout?.release ?? release, stage };
        return client.promoteRollout(place, service, { full, ...(arm !== undefined && { arm }), ...(from && { from }) });
      },
      () => (isOver ? `is past stage ${wanted} already` : promoted),
    );
  },
});
