import { operateRollout } from '../changing/operate-rollout.ts';
import { defineCommand } from '../command.ts';
import { releaseNamed } from '../watching/release-names.ts';
import { holdingEnvironment, reason, stackOption, text } from '../options.ts';

export const command = defineCommand({
  description:
    'Returns to a release that was in use before, all of it: code, prompts, model, policies. One that is kept ready is switched to at once, another is started and replaces what runs as fast as capacity allows. A rollout under way is aborted.',
  arguments: [{ name: 'service', description: 'Name of a service', required: true }],
  options: {
    environment: holdingEnvironment,
    reason,
    stack: stackOption,
    to: text('release', 'A release that was in use: an id or the beginning of one, or a version. Default: the one before'),
  },
  examples: [
    { command: 'sluice rollout rollback chat', comment: 'to the release before' },
    { command: 'sluice rollout rollback chat --to r-0123456789ab', comment: 'to one of `sluice rollout history chat`' },
    { command: 'sluice rollout rollback chat --to 1.4.0', comment: 'by its version' },
  ],
  run: ({ arguments: { service }, ...invocation }) =>
    operateRollout(
      service,
      invocation,
      async (client, place) => {
        const { to } = invocation.options;
        if (to === undefined) return client.rollBack(place, service, {});
        // An id in full needs no list of releases, which says nothing of those that are kept ready only.
        if (/^r-[0-9a-f]{12}$/.test(to)) return client.rollBack(place, service, { to });
        return client.rollBack(place, service, { to: releaseNamed(to, await client.listReleases(place, service), service).id });
      },
      ({ rollout, release }) =>
        rollout ? `goes back to ${rollout.strategy === 'rollback' ? rollout.release : release}` : `is back at ${release}`,
    ),
});
