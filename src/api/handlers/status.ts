import type { Handlers } from '../app.ts';
import type { ApiDependencies } from '../ports.ts';

export function statusHandlers({ status, shutdown }: ApiDependencies): Pick<Handlers, 'health' | 'status' | 'shutdown'> {
  return {
    health: () => Promise.resolve({ status: 'ok' }),
    status,
    shutdown: ({ body }) => {
      shutdown(body.workloads);
      return Promise.resolve({ accepted: true });
    },
  };
}
