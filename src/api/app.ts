import { OpenAPIHono } from '@hono/zod-openapi';
import { sluiceError } from '../errors/sluice-error.ts';
import { endpoints, type EndpointName } from './endpoints.ts';
import { errorResponse } from './error-answer.ts';
import { databaseHandlers } from './handlers/databases.ts';
import { auditHandlers } from './handlers/audit.ts';
import { environmentHandlers } from './handlers/environments.ts';
import { eventHandlers } from './handlers/events.ts';
import { flagHandlers } from './handlers/flags.ts';
import { gatewayHandlers } from './handlers/gateway.ts';
import { keyHandlers } from './handlers/keys.ts';
import { notificationHandlers } from './handlers/notifications.ts';
import { planHandlers } from './handlers/plans.ts';
import { releaseHandlers } from './handlers/releases.ts';
import { resourceHandlers } from './handlers/resources.ts';
import { rolloutHandlers, serviceHandlers } from './handlers/services.ts';
import { statusHandlers } from './handlers/status.ts';
import type { Endpoint } from './endpoint.ts';
import type { ApiDependencies } from './ports.ts';
import type { Handler, Handlers } from './handler.ts';
import { registerOfrep } from './ofrep/register-ofrep.ts';
import { demandAccessRules, register } from './register.ts';

/** The HTTP API, without a socket: `app.fetch` answers requests. */
export function createApp(dependencies: ApiDependencies): OpenAPIHono {
  const app = new OpenAPIHono({ strict: true });
  const handlers: Handlers = {
    ...statusHandlers(dependencies),
    ...planHandlers(dependencies),
    ...resourceHandlers(dependencies),
    ...serviceHandlers(dependencies),
    ...rolloutHandlers(dependencies),
    ...releaseHandlers(dependencies),
    ...databaseHandlers(dependencies),
    ...eventHandlers(dependencies),
    ...flagHandlers(dependencies),
    ...notificationHandlers(dependencies),
    ...gatewayHandlers(dependencies),
    ...keyHandlers(dependencies),
    ...environmentHandlers(dependencies),
    ...auditHandlers(dependencies),
    openApi: async () => description(),
  };
  for (const [name, row] of Object.entries(endpoints) as [EndpointName, Endpoint][]) {
    register(app, row, handlers[name] as Handler<Endpoint>, dependencies);
  }
  registerOfrep(app, dependencies);
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'A key such as the one in the file admin.key of the Sluice home.',
  });
  app.notFound((context) => errorResponse(sluiceError('unknown_route', { method: context.req.method, path: context.req.path })));
  app.onError((thrown) => errorResponse(thrown));
  demandAccessRules(app);

  let described: Record<string, unknown> | undefined;
  const description = (): Record<string, unknown> =>
    (described ??= { ...app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'Sluice', version: dependencies.version } }) });
  return app;
}
