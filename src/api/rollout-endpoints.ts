import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { blockName, environmentName } from './schemas/names.ts';
import { promoteRequest, rollbackRequest, rollouts } from './schemas/rollout.ts';
import { serviceView } from './schemas/service.ts';

const ofService = z.object({ environment: environmentName, name: blockName });
const service = '/v1/environments/{environment}/services/{name}';

/** What is done to a rollout, and what became of those before. */
export const rolloutEndpoints = {
  promoteRollout: endpoint({
    method: 'post',
    path: `${service}/rollout/promote`,
    access: { permission: 'promote' },
    summary: 'Takes the candidate to the next stage, or to the whole; overrules evidence it is held for and hooks it waits for',
    status: 202,
    parameters: ofService,
    body: promoteRequest,
    answer: serviceView,
    audit: { action: 'rollout.promote', details: ['full', 'from', 'arm'] },
    idempotency: { unless: 'from' },
  }),
  pauseRollout: endpoint({
    method: 'post',
    path: `${service}/rollout/pause`,
    access: { permission: 'abort' },
    summary: 'Lets nothing new happen to the rollout until it is resumed; evidence against it still takes it back',
    status: 202,
    parameters: ofService,
    answer: serviceView,
    audit: { action: 'rollout.pause' },
    idempotency: 'accepted',
  }),
  resumeRollout: endpoint({
    method: 'post',
    path: `${service}/rollout/resume`,
    access: { permission: 'promote' },
    summary: 'Lets a paused rollout go on where it was',
    status: 202,
    parameters: ofService,
    answer: serviceView,
    audit: { action: 'rollout.resume' },
    idempotency: 'accepted',
  }),
  abortRollout: endpoint({
    method: 'post',
    path: `${service}/rollout/abort`,
    access: { permission: 'abort' },
    summary: 'Gives the candidate up: all requests go to the stable release at once',
    status: 202,
    parameters: ofService,
    answer: serviceView,
    audit: { action: 'rollout.abort' },
    idempotency: 'accepted',
  }),
  retryRollout: endpoint({
    method: 'post',
    path: `${service}/rollout/retry`,
    access: { permission: 'promote' },
    summary: 'Tries the release that was taken back once more, from the beginning',
    status: 202,
    parameters: ofService,
    answer: serviceView,
    audit: { action: 'rollout.retry' },
    idempotency: 'demanded',
  }),
  rollBack: endpoint({
    method: 'post',
    path: `${service}/rollout/rollback`,
    access: { permission: 'rollback' },
    summary: 'Returns to a release that was in use before, as fast as capacity allows',
    status: 202,
    parameters: ofService,
    body: rollbackRequest,
    answer: serviceView,
    audit: { action: 'rollout.rollback', details: ['to'] },
    idempotency: { unless: 'to' },
  }),
  listRollouts: endpoint({
    method: 'get',
    path: `${service}/rollouts`,
    access: { permission: 'read' },
    summary: 'Every rollout of a service: who began it, and how it ended; the latest first, fifty at most',
    status: 200,
    parameters: ofService,
    answer: rollouts,
  }),
};
