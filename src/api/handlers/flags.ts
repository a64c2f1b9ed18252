import { toSluiceError } from '../../errors/sluice-error.ts';
import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'listFlags' | 'getFlag' | 'flagHistory' | 'setFlag' | 'killFlag' | 'clearFlag' | 'previewFlag' | 'evaluateFlag' | RolloutNames;
type RolloutNames = 'getFlagRollout' | 'startFlagRollout' | 'stopFlagRollout';

/** A change waits for nothing that is being taken up: a kill switch has to work while everything else is on fire. */
export function flagHandlers({ flags, flagRollouts }: ApiDependencies): Pick<Handlers, Names> {
  return {
    listFlags: ({ parameters }) => flags.list(parameters.environment),
    getFlag: ({ parameters: { environment, name } }) => flags.get(environment, name),
    flagHistory: ({ parameters: { environment, name }, query }) => flags.history(environment, name, query.limit),
    setFlag: ({ parameters: { environment, name }, body, actor, reason }) => flags.set(environment, name, body, { actor, reason }),
    killFlag: ({ parameters: { environment, name }, actor, reason }) => flags.kill(environment, name, { actor, reason }),
    clearFlag: ({ parameters: { environment, name }, actor, reason }) => flags.clear(environment, name, { actor, reason }),
    previewFlag: async ({ parameters: { environment, name }, body }) => {
      const preview = await flags.preview(environment, name, body);
      const rollout = preview.changes ? await flagRollouts.get(environment, name).catch(noneOnly) : undefined;
      if (rollout === undefined || rollout.outcome !== undefined) return preview;
      return { ...preview, endsRollout: `${rollout.variant}, which has come to ${rollout.percent} % of the users of ${rollout.service}` };
    },
    getFlagRollout: ({ parameters: { environment, name } }) => flagRollouts.get(environment, name),
    startFlagRollout: ({ parameters: { environment, name }, body, actor, reason }) =>
      flagRollouts.start(environment, name, body, { actor, reason }),
    stopFlagRollout: ({ parameters: { environment, name }, actor, reason }) => flagRollouts.stop(environment, name, { actor, reason }),
    evaluateFlag: ({ parameters: { environment, name }, body }) => flags.evaluate(environment, name, body.context ?? {}),
  };
}

function noneOnly(thrown: unknown): undefined {
  if (toSluiceError(thrown).code !== 'no_flag_rollout') throw thrown;
}
