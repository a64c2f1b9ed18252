import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

export function gatewayHandlers({ gatewayDesk }: ApiDependencies): Pick<Handlers, 'getGateway' | 'metrics'> {
  return {
    getGateway: () => gatewayDesk.get(),
    metrics: ({ accept }) => gatewayDesk.metrics(accept),
  };
}
