import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { byId, inEnvironment, parallelism } from './parameters.ts';
import { lock, unlockRequest } from './schemas/lock.ts';
import { environmentName } from './schemas/names.ts';
import { plan, planRequest } from './schemas/plan.ts';
import { run, runs } from './schemas/run.ts';

/** The rows of the route table about plans, the runs that make them real, and the lock that a run holds. */
export const runEndpoints = {
  createPlan: endpoint({
    method: 'post',
    path: '/v1/plans',
    access: { permission: 'plan' },
    summary: 'Compares a stack with what is there; changes nothing',
    status: 201,
    body: planRequest,
    answer: plan,
    audit: 'no_change',
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
    query: z.strictObject({ parallelism }),
    answer: run,
    audit: 'itself',
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
    audit: { action: 'run.cancel' },
  }),
  getLock: endpoint({
    method: 'get',
    path: '/v1/environments/{environment}/lock',
    access: { permission: 'read' },
    summary: 'Who is changing an environment at this moment',
    status: 200,
    parameters: inEnvironment,
    answer: lock,
  }),
  unlock: endpoint({
    method: 'post',
    path: '/v1/environments/{environment}/unlock',
    access: { permission: 'apply' },
    summary: 'Takes an environment away from whoever is changing it; that run changes nothing more',
    status: 200,
    parameters: inEnvironment,
    body: unlockRequest,
    answer: lock,
    audit: { action: 'environment.unlock', details: ['since'] },
  }),
};
