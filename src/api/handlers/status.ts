import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

export function statusHandlers(dependencies: ApiDependencies): Pick<Handlers, 'health' | 'status' | 'shutdown'> {
  return {
    health: () => Promise.resolve({ status: 'ok' }),
    status: () => dependencies.status(),
    shutdown: ({ body }) => {
      dependencies.shutdown(body.workloads);
      return Promise.resolve({ accepted: true });
    },
  };
}
