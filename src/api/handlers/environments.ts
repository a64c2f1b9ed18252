import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'getLock' | 'unlock' | 'getDrift' | 'repairDrift' | 'acceptDrift';

/** What concerns a whole environment: who is changing it, and what has changed without anybody's asking. */
export function environmentHandlers({ locks, drift, untilTakenUp }: ApiDependencies): Pick<Handlers, Names> {
  return {
    getLock: ({ parameters: { environment } }) => locks.get(environment),
    unlock: ({ parameters: { environment }, body, actor }) => locks.unlock(environment, body.since, actor),
    getDrift: async ({ parameters: { environment } }) => {
      await untilTakenUp();
      return drift.find(environment);
    },
    repairDrift: async ({ parameters: { environment }, query, actor, reason }) => {
      await untilTakenUp();
      return drift.repair(environment, { ...query, actor, reason });
    },
    acceptDrift: async ({ parameters: { environment } }) => {
      await untilTakenUp();
      return drift.accept(environment);
    },
  };
}
