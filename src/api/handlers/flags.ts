import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'listFlags' | 'getFlag' | 'flagHistory' | 'setFlag' | 'killFlag' | 'clearFlag' | 'evaluateFlag' | RolloutNames;
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
    getFlagRollout: ({ parameters: { environment, name } }) => flagRollouts.get(environment, name),
    startFlagRollout: ({ parameters: { environment, name }, body, actor, reason }) =>
      flagRollouts.start(environment, name, body, { actor, reason }),
    stopFlagRollout: ({ parameters: { environment, name }, actor, reason }) => flagRollouts.stop(environment, name, { actor, reason }),
    evaluateFlag: ({ parameters: { environment, name }, body }) => flags.evaluate(environment, name, body.context ?? {}),
  };
}
