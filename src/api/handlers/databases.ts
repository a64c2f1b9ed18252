import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'listBackups' | 'backUpDatabase' | 'planRestore' | 'restoreDatabase' | 'getDatabaseOperation';

export function databaseHandlers({ databases }: ApiDependencies): Pick<Handlers, Names> {
  return {
    listBackups: ({ parameters: { environment, name } }) => databases.backups(environment, name),
    backUpDatabase: ({ parameters: { environment, name }, actor, reason }) => databases.startBackup(environment, name, { actor, reason }),
    planRestore: ({ parameters: { environment, name }, body }) => databases.planRestore(environment, name, body.to),
    restoreDatabase: ({ parameters: { environment, name }, body, actor, reason }) =>
      databases.startRestore(environment, name, body.to, { actor, reason }),
    getDatabaseOperation: ({ parameters: { environment, name, id } }) => databases.operation(environment, name, id),
  };
}
