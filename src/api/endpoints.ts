import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { events } from './schemas/event.ts';
import { createdKey, createKeyRequest, keys, keyView } from './schemas/key.ts';
import { address, blockName, environmentName, identifier, kind } from './schemas/names.ts';
import { plan, planRequest } from './schemas/plan.ts';
import { resources, resourceView } from './schemas/resource.ts';
import { run, runs } from './schemas/run.ts';
import { logLines, scaleRequest, services, serviceView } from './schemas/service.ts';
import { accepted, health, shutdownRequest, status } from './schemas/status.ts';

const byId = z.object({ id: identifier });
const inEnvironment = z.object({ environment: environmentName });
const ofResource = z.object({ environment: environmentName, kind, name: blockName });
const ofService = z.object({ environment: environmentName, name: blockName });
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const service = '/v1/environments/{environment}/services/{name}';

/** The route table: every operation there is. `register` refuses what is not described here. */
export const endpoints = {
  health: endpoint({
    method: 'get',
    path: '/healthz',
    access: { public: true },
    summary: 'Whether the control plane answers; says nothing else',
    status: 200,
    answer: health,
  }),
  openApi: endpoint({
    method: 'get',
    path: '/openapi.json',
    access: { permission: 'read' },
    summary: 'This description',
    status: 200,
    answer: z.record(z.string(), z.unknown()),
  }),
  status: endpoint({
    method: 'get',
    path: '/v1/status',
    access: { permission: 'read' },
    summary: 'The control plane, its gateway and its environments',
    status: 200,
    answer: status,
  }),
  createPlan: endpoint({
    method: 'post',
    path: '/v1/plans',
    access: { permission: 'plan' },
    summary: 'Compares a stack with what is there; changes nothing',
    status: 201,
    body: planRequest,
    answer: plan,
  }),
  getPlan: endpoint({
    method: 'get',
    path: '/v1/plans/{id}',
    access: { permission: 'read' },
    summary: 'A plan made before',
    status: 200,
    parameters: byId,
    answer: plan,
  }),
  applyPlan: endpoint({
    method: 'post',
    path: '/v1/plans/{id}/apply',
    access: { permission: 'apply' },
    summary: 'Starts the run that makes a plan real',
    status: 202,
    parameters: byId,
    answer: run,
  }),
  listRuns: endpoint({
    method: 'get',
    path: '/v1/runs',
    access: { permission: 'read' },
    summary: 'All runs, newest first',
    status: 200,
    query: z.strictObject({ environment: environmentName.optional(), limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
    answer: runs,
  }),
  getRun: endpoint({
    method: 'get',
    path: '/v1/runs/{id}',
    access: { permission: 'read' },
    summary: 'A run and the state of each of its changes',
    status: 200,
    parameters: byId,
    answer: run,
  }),
  cancelRun: endpoint({
    method: 'post',
    path: '/v1/runs/{id}/cancel',
    access: { permission: 'apply' },
    summary: 'Starts nothing more and ends what can be ended; what is done stays done',
    status: 202,
    parameters: byId,
    answer: run,
  }),
  listResources: endpoint({
    method: 'get',
    path: '/v1/environments/{environment}/resources',
    access: { permission: 'read' },
    summary: 'All resources of an environment',
    status: 200,
    parameters: inEnvironment,
    answer: resources,
  }),
  getResource: endpoint({
    method: 'get',
    path: '/v1/environments/{environment}/resources/{kind}/{name}',
    access: { permission: 'read' },
    summary: 'One resource; secret outputs are masked',
    status: 200,
    parameters: ofResource,
    answer: resourceView,
  }),
  forgetResource: endpoint({
    method: 'delete',
    path: '/v1/environments/{environment}/resources/{kind}/{name}',
    access: { permission: 'apply' },
    summary: 'Forgets a resource without touching it',
    status: 200,
    parameters: ofResource,
    answer: resourceView,
  }),
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
  }),
  restartService: endpoint({
    method: 'post',
    path: `${service}/restart`,
    access: { permission: 'operate' },
    summary: 'Replaces every instance by a fresh one of the same release, without losing a request',
    status: 202,
    parameters: ofService,
    answer: serviceView,
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
      follow: flag.optional(),
    }),
    answer: logLines,
    streams: true,
  }),
  events: endpoint({
    method: 'get',
    path: '/v1/events',
    access: { permission: 'read' },
    summary: 'What happened; followed as server-sent events that resume by Last-Event-ID',
    status: 200,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).optional(),
      environment: environmentName.optional(),
      address: address.optional(),
      run: identifier.optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
      follow: flag.optional(),
    }),
    answer: events,
    streams: true,
  }),
  listKeys: endpoint({
    method: 'get',
    path: '/v1/keys',
    access: { permission: 'administer' },
    summary: 'All keys, without the keys themselves',
    status: 200,
    answer: keys,
  }),
  createKey: endpoint({
    method: 'post',
    path: '/v1/keys',
    access: { permission: 'administer' },
    summary: 'Makes a key and shows it this one time',
    status: 201,
    body: createKeyRequest,
    answer: createdKey,
  }),
  revokeKey: endpoint({
    method: 'delete',
    path: '/v1/keys/{id}',
    access: { permission: 'administer' },
    summary: 'Ends a key at once; the last key that can administer is kept',
    status: 200,
    parameters: byId,
    answer: keyView,
  }),
  shutdown: endpoint({
    method: 'post',
    path: '/v1/shutdown',
    access: { permission: 'administer' },
    summary: 'Ends the control plane, with or without what it runs',
    status: 202,
    body: shutdownRequest,
    answer: accepted,
  }),
};

export type Endpoints = typeof endpoints;
export type EndpointName = keyof Endpoints;
