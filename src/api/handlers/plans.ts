import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'createPlan' | 'getPlan' | 'applyPlan' | 'listRuns' | 'getRun' | 'cancelRun';

export function planHandlers({ plans, runs, untilTakenUp }: ApiDependencies): Pick<Handlers, Names> {
  return {
    createPlan: async ({ body }) => {
      await untilTakenUp();
      return plans.create(body);
    },
    getPlan: ({ parameters }) => plans.get(parameters.id),
    applyPlan: async ({ parameters, query, actor, reason }) => {
      await untilTakenUp();
      return runs.start(parameters.id, { ...query, actor, reason });
    },
    listRuns: ({ query }) => runs.list(query),
    getRun: ({ parameters }) => runs.get(parameters.id),
    cancelRun: ({ parameters }) => runs.cancel(parameters.id),
  };
}
