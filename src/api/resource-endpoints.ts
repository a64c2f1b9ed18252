import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { inEnvironment, ofResource, parallelism } from './parameters.ts';
import { driftReport } from './schemas/drift.ts';
import { resources, resourceView } from './schemas/resource.ts';
import { run } from './schemas/run.ts';

/** The rows of the route table about resources, and what differs from what was applied. */
export const resourceEndpoints = {
  getDrift: endpoint({
    method: 'get',
    path: '/v1/environments/{environment}/drift',
    access: { permission: 'read' },
    summary: 'What differs from what was applied, field by field; changes nothing',
    status: 200,
    parameters: inEnvironment,
    answer: driftReport,
  }),
  repairDrift: endpoint({
    method: 'post',
    path: '/v1/environments/{environment}/drift/repair',
    access: { permission: 'apply' },
    summary: 'Starts the run that brings back what was applied',
    status: 202,
    parameters: inEnvironment,
    query: z.strictObject({ parallelism }),
    answer: run,
    audit: 'itself',
  }),
  acceptDrift: endpoint({
    method: 'post',
    path: '/v1/environments/{environment}/drift/accept',
    access: { permission: 'apply' },
    summary: 'Records what is there as accepted, until it changes once more',
    status: 200,
    parameters: inEnvironment,
    answer: driftReport,
    audit: { action: 'drift.accept' },
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
    audit: { action: 'resource.forget' },
  }),
};
