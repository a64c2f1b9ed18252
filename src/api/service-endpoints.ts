import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { yesOrNo, inEnvironment, ofService, service } from './parameters.ts';
import { logLines, scaleRequest, services, serviceView } from './schemas/service.ts';

/** The rows of the route table about services and their instances. */
export const serviceEndpoints = {
  listServices: endpoint({
    method: 'get',
    path: '/v1/environments/{environment}/services',
    access: { permission: 'read' },
    summary: 'All services of an environment with their instances',
    status: 200,
    parameters: inEnvironment,
    answer: services,
  }),
  getService: endpoint({
    method: 'get',
    path: service,
    access: { permission: 'read' },
    summary: 'One service with its instances and a request to try',
    status: 200,
    parameters: ofService,
    answer: serviceView,
  }),
  scaleService: endpoint({
    method: 'post',
    path: `${service}/scale`,
    access: { permission: 'operate' },
    summary: 'Sets how many instances a service has until the stack says otherwise',
    status: 202,
    parameters: ofService,
    body: scaleRequest,
    answer: serviceView,
    audit: { action: 'service.scale', details: ['replicas'] },
  }),
  restartService: endpoint({
    method: 'post',
    path: `${service}/restart`,
    access: { permission: 'operate' },
    summary: 'Replaces every instance by a fresh one of the same release, without losing a request',
    status: 202,
    parameters: ofService,
    answer: serviceView,
    audit: { action: 'service.restart' },
  }),
  serviceLogs: endpoint({
    method: 'get',
    path: `${service}/logs`,
    access: { permission: 'read' },
    summary: 'What the instances wrote; followed as server-sent events',
    status: 200,
    parameters: ofService,
    query: z.strictObject({
      instance: z.string().max(128).optional(),
      tail: z.coerce.number().int().min(0).max(10_000).default(100),
      follow: yesOrNo.optional(),
    }),
    answer: logLines,
    streams: true,
  }),
};
