import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, policyOf, promptsOf, startAgent, startRefused } from './agent-process.ts';
import { answer, listen } from './internal-listener.ts';

const passage = {
  id: 'returns',
  title: 'Returning a device',
  passage: 'You can return a device within 30 days. The label is free.\n\n## Refunds\n\nThe refund takes five working days.',
  tags: ['send back'],
  score: 12,
};
const environment = { SLUICE_PROMPTS: promptsOf('reasoning'), SLUICE_POLICY: policyOf('reasoning') };

const turn = (decision: string) => ({ message: 'hm', answer: 'Could you say more?', decision });

const say = (content: string) => (response: ServerResponse) =>
  answer(response, 200, { choices: [{ message: { role: 'assistant', content } }] });

interface Reply {
  readonly status: number;
  readonly attributes: string | null;
  readonly body: Record<string, unknown>;
}

async function ask(agent: Agent, body: unknown): Promise<Reply> {
  const response = await fetch(`${agent.url}/answer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    attributes: response.headers.get('x-sluice-attributes'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe('the reasoning agent with its built-in model', () => {
  let agent: Agent;

  beforeAll(async () => {
    agent = await startAgent('reasoning', environment);
  });

  afterAll(async () => {
    await agent.stop();
  });

  it('answers with sentences of the passages and says where they stand', async () => {
    expect(await ask(agent, { question: 'How long does a refund for a returned device take?', passages: [passage] })).toMatchObject({
      status: 200,
      attributes: 'agent.decision=answer',
      body: {
        decision: 'answer',
        answer: expect.stringMatching(/^The refund takes five working days\. \[returns\]$|five working days.*\[returns\]/),
        citations: [{ id: 'returns', title: 'Returning a device' }],
      },
    });
  });

  it('asks back when the passages do not cover the question', async () => {
    expect(await ask(agent, { question: 'Do dragons eat bananas?', passages: [passage] })).toMatchObject({
      attributes: 'agent.decision=clarify',
      body: { citations: [] },
    });
    expect(await ask(agent, { question: 'How do I return a device?', passages: [] })).toMatchObject({
      attributes: 'agent.decision=clarify',
    });
  });

  it('asks which article is meant when one word fits several', async () => {
    const other = { ...passage, id: 'returns-hub', title: 'Returning a hub', score: 11.5 };
    const { body } = await ask(agent, { question: 'return', passages: [passage, other] });
    expect(body).toMatchObject({ decision: 'clarify', answer: expect.stringContaining('"Returning a device" or "Returning a hub"') });
  });

  it('hands over what the policy gives to people, whatever the passages say', async () => {
    expect(await ask(agent, { question: 'I want to speak to a real person about my return', passages: [passage] })).toMatchObject({
      attributes: 'agent.decision=escalate',
      body: { reason: 'policy: asks-for-a-person', answer: expect.stringContaining('you asked for a person'), citations: [] },
    });
  });

  it('hands over when it has asked back twice in a row, and not before', async () => {
    const question = { question: 'xyzzy', passages: [] };
    expect(await ask(agent, { ...question, history: [turn('clarify')] })).toMatchObject({ body: { decision: 'clarify' } });
    expect(await ask(agent, { ...question, history: [turn('clarify'), turn('answer'), turn('clarify')] })).toMatchObject({
      body: { decision: 'clarify' },
    });
    expect(await ask(agent, { ...question, history: [turn('answer'), turn('clarify'), turn('clarify')] })).toMatchObject({
      body: { decision: 'escalate' },
    });
  });

  it.each([
    ['not json', 'not valid JSON'],
    [[], 'the body must be a JSON object'],
    [{ passages: [] }, "'question'"],
    [{ question: '  ', passages: [] }, "'question'"],
    [{ question: 'q'.repeat(8_001), passages: [] }, "'question' has 8001 characters"],
    [{ question: 'q' }, "'passages' must be a list"],
    [{ question: 'q', passages: [{ ...passage, score: 'high' }] }, "'passages.0.score'"],
    [{ question: 'q', passages: [null] }, "'passages.0'"],
    [{ question: 'q', passages: Array.from({ length: 21 }, () => passage) }, "'passages' has 21 entries"],
    [{ question: 'q', passages: [], history: [turn('guess')] }, "'history.0.decision'"],
  ])('refuses %j with 400 and says why', async (body, message) => {
    expect(await ask(agent, body)).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining(message) } } });
  });

  it('refuses a body that is too large or not declared as JSON', async () => {
    expect(await ask(agent, { question: 'q', passages: [], padding: 'x'.repeat(300_000) })).toMatchObject({ status: 413 });
    expect((await fetch(`${agent.url}/answer`, { method: 'POST', body: '{}' })).status).toBe(415);
  });

  it('tests itself', async () => {
    const response = await fetch(`${agent.url}/selftest`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      ok: true,
      cases: [{ decided: 'answer' }, { decided: 'clarify' }, { decided: 'escalate' }],
    });
  });
});

describe('the reasoning agent with a model of its own', () => {
  let agent: Agent;
  let endpoint: { url: string; close(): Promise<void> };
  let requests: { authorization: string | undefined; path: string | undefined; body: Record<string, unknown> }[] = [];
  let complete: (response: ServerResponse) => void;
  const question = { question: 'How do I return a device?', passages: [passage] };

  beforeAll(async () => {
    endpoint = await listen((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { authorization } = request.headers;
        requests.push({ authorization, path: request.url, body: JSON.parse(body) as Record<string, unknown> });
        complete(response);
      });
    });
    agent = await startAgent('reasoning', {
      ...environment,
      MODEL_URL: `${endpoint.url}/v1/`,
      MODEL_API_KEY: 'key-of-the-model',
      MODEL_TIMEOUT_MS: '300',
      SLUICE_MODEL: JSON.stringify({ name: 'large-one', version: '3', parameters: { temperature: 0 } }),
    });
  });

  afterEach(() => {
    requests = [];
  });

  afterAll(async () => {
    await agent.stop();
    await endpoint.close();
  });

  it('asks the declared model with its parameters, the key, the passages and the history', async () => {
    complete = say('Within 30 days. [returns]');
    const history = [{ message: 'Hello', answer: 'Hello!', decision: 'clarify' }];
    expect(await ask(agent, { ...question, history })).toMatchObject({
      attributes: 'agent.decision=answer',
      body: { answer: 'Within 30 days. [returns]', citations: [{ id: 'returns' }], model: 'large-one' },
    });
    expect(requests).toMatchObject([
      { authorization: 'Bearer key-of-the-model', path: '/v1/chat/completions', body: { model: 'large-one', temperature: 0 } },
    ]);
    const messages = requests[0]?.body['messages'] as { role: string; content: string }[];
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages[0]?.content).toContain('[returns] Returning a device\nYou can return a device within 30 days.');
  });

  it('does not pass on what cites no passage it was given', async () => {
    complete = say('Just throw it away. [invented]');
    expect(await ask(agent, question)).toMatchObject({
      body: { decision: 'clarify', citations: [], answer: expect.not.stringContaining('throw') },
    });
  });

  it('lets the model ask back and hand over', async () => {
    complete = say('CLARIFY: Which device do you mean?');
    expect(await ask(agent, question)).toMatchObject({ body: { decision: 'clarify', answer: 'Which device do you mean?' } });
    complete = say('ESCALATE: this is about an accident');
    expect(await ask(agent, question)).toMatchObject({
      body: { decision: 'escalate', answer: expect.stringContaining('this is about an accident') },
    });
  });

  it('never asks the model what the policy gives to people', async () => {
    expect(await ask(agent, { ...question, question: 'I will call my lawyer' })).toMatchObject({ body: { decision: 'escalate' } });
    expect(requests).toEqual([]);
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['an error', (response) => answer(response, 500, {}), 'it answered with status 500'],
    ['no JSON', (response) => response.end('<html>'), 'its answer is not JSON'],
    ['no text', (response) => answer(response, 200, { choices: [] }), 'its answer holds no text'],
    ['a novel', say('x'.repeat(10_001)), 'its answer is longer than 10000 characters'],
    ['silence', () => {}, 'it did not answer within 300 ms'],
    ['a broken connection', (response) => response.destroy(), 'it cannot be reached'],
  ])('answers 502 with the reason when the model gives %s', async (_name, behaviour, reason) => {
    complete = behaviour;
    expect(await ask(agent, question)).toMatchObject({
      status: 502,
      body: { error: { code: 'model_unavailable', message: `the model cannot answer: ${reason}` } },
    });
  });

  it('never writes its key to the log', () => {
    expect(agent.output()).toContain('"level":"warn"');
    expect(agent.output()).not.toContain('key-of-the-model');
  });

  it('fails its self-test when the model does', async () => {
    complete = (response) => answer(response, 500, {});
    expect((await fetch(`${agent.url}/selftest`)).status).toBe(500);
  });
});

describe('a reasoning agent that is not configured', () => {
  it.each([
    ['prompts', { SLUICE_POLICY: policyOf('reasoning') }, 'SLUICE_PROMPTS is not set'],
    ['a policy', { SLUICE_PROMPTS: promptsOf('reasoning') }, 'SLUICE_POLICY is not set'],
    ['a prompt', { ...environment, SLUICE_PROMPTS: promptsOf('conversation') }, 'system.md is missing among the prompts'],
    [
      'the endpoint of its model',
      { ...environment, SLUICE_MODEL: '{"name":"large-one"}' },
      "the model 'large-one' is not built in: set MODEL_URL",
    ],
  ])('does not start without %s', async (_what, given, message) => {
    const { code, output } = await startRefused('reasoning', given);
    expect(code).toBe(1);
    expect(output).toContain(message);
  });
});
