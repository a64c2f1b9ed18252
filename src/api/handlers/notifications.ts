import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'listNotifications' | 'testNotification' | 'retryMessage';

export function notificationHandlers({ notifications }: ApiDependencies): Pick<Handlers, Names> {
  return {
    listNotifications: ({ parameters }) => notifications.list(parameters.environment),
    testNotification: ({ parameters: { environment, name } }) => notifications.test(environment, name),
    retryMessage: ({ parameters: { environment, id } }) => notifications.retry(environment, id),
  };
}
