import type { ServiceView } from '../../api/schemas/service.ts';
import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { count, flag, holdingEnvironment, reason, stackOption, text } from '../options.ts';

export const command = defineCommand({
  description:
    'Takes the candidate of a canary or blue/green rollout to its next stage, or to the whole, without waiting any longer: an approval is given, and evidence and hooks it is held for are overruled. Of a release that is rolled it overrules the hook that is asked. Its capacity still comes first. Of an experiment it ends the comparison: one arm goes on as the candidate, the plain one unless another is named. It names the stage it has found, so that two people who promote at the same moment go one stage and not two.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: {
    environment: holdingEnvironment,
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
    const what = arm === undefined ? 'is promoted' : `with the arm ${arm} is promoted`;
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
      (view) => (isOver ? `is past stage ${wanted} already` : `${what}${full ? ' to all requests' : placeOf(view)}`),
    );
  },
});

/** Where it goes now: capacity for it comes first. */
function placeOf({ rollout }: ServiceView): string {
  const stages = rollout?.stages;
  return stages === undefined ? '' : ` to stage ${stages.current} of ${stages.steps.length}, once its instances are ready`;
}
