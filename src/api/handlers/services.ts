import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'listServices' | 'getService' | 'scaleService' | 'restartService' | 'serviceLogs';

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
