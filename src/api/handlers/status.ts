import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

export function statusHandlers(dependencies: ApiDependencies): Pick<Handlers, 'health' | 'status' | 'createBackup' | 'shutdown'> {
  return {
    health: () => Promise.resolve({ status: 'ok' }),
    status: () => dependencies.status(),
    createBackup: () => dependencies.backups.create(),
    shutdown: ({ body }) => {
      dependencies.shutdown(body.workloads);
      return Promise.resolve({ accepted: true });
    },
  };
}
