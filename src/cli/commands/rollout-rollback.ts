import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { environment, reason, stackOption, text } from '../options.ts';

export const command = defineCommand({
  description:
    'Returns to a release that was in use before, all of it: code, prompts, model, policies. One that is kept ready is switched to at once, another is started and replaces what runs as fast as capacity allows. A rollout under way is aborted.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: { environment, reason, stack: stackOption, to: text('release', 'A release of the history; default: the one before') },
  examples: [
    { command: 'sluice rollout rollback chat', comment: 'to the release before' },
    { command: 'sluice rollout rollback chat --to r-0123456789ab', comment: 'to one of `sluice rollout history chat`' },
  ],
  run: ({ arguments: { service }, ...invocation }) =>
    operateRollout(
      service,
      invocation,
      (client, place) => client.rollBack(place, service, invocation.options.to === undefined ? {} : { to: invocation.options.to }),
      ({ rollout, release }) =>
        rollout ? `goes back to ${rollout.strategy === 'rollback' ? rollout.release : release}` : `is back at ${release}`,
    ),
});
