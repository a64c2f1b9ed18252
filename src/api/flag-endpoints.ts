import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { evaluateFlagRequest, flagEvaluation, flagHistory, flags, flagView, setFlagRequest } from './schemas/flag.ts';
import { flagRolloutView, startFlagRolloutRequest } from './schemas/flag-rollout.ts';
import { blockName, environmentName } from './schemas/names.ts';

const flagPath = '/v1/environments/{environment}/flags/{name}';
const ofFlag = z.object({ environment: environmentName, name: blockName });

/** Flags as people see and change them; programs ask by OFREP. */
export const flagEndpoints = {
  listFlags: endpoint({
    method: 'get',
    path: '/v1/environments/{environment}/flags',
    access: { permission: 'read' },
    summary: 'All flags of an environment, what they serve and who asks for them',
    status: 200,
    parameters: z.object({ environment: environmentName }),
    answer: flags,
  }),
  getFlag: endpoint({
    method: 'get',
    path: flagPath,
    access: { permission: 'read' },
    summary: 'One flag',
    status: 200,
    parameters: ofFlag,
    answer: flagView,
  }),
  flagHistory: endpoint({
    method: 'get',
    path: `${flagPath}/history`,
    access: { permission: 'read' },
    summary: 'What a flag has served, newest first; also of one that is gone',
    status: 200,
    parameters: ofFlag,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
    answer: flagHistory,
  }),
  setFlag: endpoint({
    method: 'post',
    path: `${flagPath}/override`,
    access: { permission: 'operate' },
    summary: 'Serves one variant to everybody or to a share of users, whatever the stack says, until it is cleared',
    status: 200,
    parameters: ofFlag,
    body: setFlagRequest,
    answer: flagView,
    audit: 'itself',
  }),
  clearFlag: endpoint({
    method: 'delete',
    path: `${flagPath}/override`,
    access: { permission: 'operate' },
    summary: 'Lets the stack decide again what a flag serves',
    status: 200,
    parameters: ofFlag,
    answer: flagView,
    audit: 'itself',
  }),
  killFlag: endpoint({
    method: 'post',
    path: `${flagPath}/kill`,
    access: { permission: 'operate' },
    summary: 'Serves the default to everybody at once, until it is cleared',
    status: 200,
    parameters: ofFlag,
    answer: flagView,
    audit: 'itself',
  }),
  getFlagRollout: endpoint({
    method: 'get',
    path: `${flagPath}/rollout`,
    access: { permission: 'read' },
    summary: 'How far a variant has come to all users, and the evidence; the last one when none is under way',
    status: 200,
    parameters: ofFlag,
    answer: flagRolloutView,
  }),
  startFlagRollout: endpoint({
    method: 'post',
    path: `${flagPath}/rollout`,
    access: { permission: 'operate' },
    summary: 'Gives a variant to more and more users; it is taken back when they fare worse than the others',
    status: 200,
    parameters: ofFlag,
    body: startFlagRolloutRequest,
    answer: flagRolloutView,
    audit: 'itself',
  }),
  stopFlagRollout: endpoint({
    method: 'delete',
    path: `${flagPath}/rollout`,
    access: { permission: 'operate' },
    summary: 'Takes the variant back: users get at once what they got before',
    status: 200,
    parameters: ofFlag,
    answer: flagRolloutView,
    audit: 'itself',
  }),
  evaluateFlag: endpoint({
    method: 'post',
    path: `${flagPath}/evaluate`,
    access: { permission: 'read' },
    summary: 'What a user would be served, and why; counts nowhere',
    status: 200,
    parameters: ofFlag,
    body: evaluateFlagRequest,
    answer: flagEvaluation,
    audit: 'no_change',
  }),
};
