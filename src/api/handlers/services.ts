import type { Actor } from '../../access/keyring.ts';
import type { Handlers } from '../handler.ts';
import type { ApiDependencies, RolloutAction } from '../ports.ts';
import type { ServiceView } from '../schemas/service.ts';

type Names = 'listServices' | 'getService' | 'scaleService' | 'restartService' | 'serviceLogs';
type RolloutNames = 'promoteRollout' | 'pauseRollout' | 'resumeRollout' | 'abortRollout' | 'retryRollout' | 'rollBack' | 'listRollouts';

export function serviceHandlers({ services, untilTakenUp }: ApiDependencies): Pick<Handlers, Names> {
  return {
    listServices: ({ parameters }) => services.list(parameters.environment),
    getService: ({ parameters: { environment, name } }) => services.get(environment, name),
    scaleService: async ({ parameters: { environment, name }, body }) => {
      await untilTakenUp();
      return services.scale(environment, name, body.replicas);
    },
    restartService: async ({ parameters: { environment, name } }) => {
      await untilTakenUp();
      return services.restart(environment, name);
    },
    serviceLogs: async ({ parameters: { environment, name }, query }) => {
      if (query.follow !== true) return services.readLogs(environment, name, query);
      // Asked for before the stream begins, so that an unknown service is answered with 404 and not with an empty stream.
      await services.get(environment, name);
      return {
        async *messages(signal) {
          for await (const line of services.followLogs(environment, name, query, signal)) yield { data: line };
        },
      };
    },
  };
}

export function rolloutHandlers({ services, untilTakenUp }: ApiDependencies): Pick<Handlers, RolloutNames> {
  const operate = async (
    { parameters: { environment, name }, actor, reason, idempotencyKey }: RolloutCall,
    action: RolloutAction,
  ): Promise<ServiceView> => {
    await untilTakenUp();
    return services.operate(environment, name, action, { by: actor.name, why: reason, key: idempotencyKey });
  };
  return {
    promoteRollout: (call) => operate(call, { type: 'promote', ...call.body }),
    pauseRollout: (call) => operate(call, { type: 'pause' }),
    resumeRollout: (call) => operate(call, { type: 'resume' }),
    abortRollout: (call) => operate(call, { type: 'abort' }),
    retryRollout: (call) => operate(call, { type: 'retry' }),
    rollBack: (call) => operate(call, { type: 'rollback', to: call.body.to }),
    listRollouts: ({ parameters }) => services.rollouts(parameters.environment, parameters.name),
  };
}

interface RolloutCall {
  readonly parameters: { readonly environment: string; readonly name: string };
  readonly actor: Actor;
  readonly reason: string | undefined;
  readonly idempotencyKey: string | undefined;
}
