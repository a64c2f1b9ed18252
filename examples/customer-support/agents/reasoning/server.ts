import { decide, type Reasoning } from './decide.ts';
import { log } from './log.ts';
import { createModel } from './model.ts';
import { readPolicy } from './policy.ts';
import { readPrompts } from './prompts.ts';
import { parseQuestion } from './request.ts';
import { selfTest } from './selftest.ts';
import { sendJson, serve } from './serve.ts';

const prompts = readPrompts(process.env['SLUICE_PROMPTS'], ['system', 'clarify', 'clarify-unknown', 'escalate']);
const policy = readPolicy(process.env['SLUICE_POLICY']);
const { name, model } = createModel(process.env, prompts.system);
const reasoning: Reasoning = { policy, prompts, model };
log('info', 'ready', { model: name, rules: policy.escalate.length });

serve({
  'GET /healthz': (_request, response) => sendJson(response, 200, { status: 'ok', model: name }),

  /** One question per decision through this release's prompts, policy and model: 200 when all come out right, 500 otherwise. */
  'GET /selftest': async ({ gone }, response) => {
    const result = await selfTest(reasoning, gone);
    sendJson(response, result.ok ? 200 : 500, result);
  },

  'POST /answer': async ({ json, gone }, response) => {
    const reply = await decide(reasoning, parseQuestion(await json()), gone);
    log('info', 'decided', { decision: reply.decision, reason: reply.reason, citations: reply.citations.map(({ id }) => id) });
    sendJson(response, 200, { ...reply, model: name }, { 'agent.decision': reply.decision });
  },
});
