import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

export function gatewayHandlers({ gatewayDesk }: ApiDependencies): Pick<Handlers, 'getGateway' | 'upgradeGateway' | 'metrics'> {
  return {
    getGateway: () => gatewayDesk.get(),
    upgradeGateway: () => gatewayDesk.upgrade(),
    metrics: ({ accept }) => gatewayDesk.metrics(accept),
  };
}
