import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, policyOf, promptsOf, startAgent } from './agent-process.ts';
import { answer, startInternalListener } from './internal-listener.ts';
import { questions } from './questions.ts';

const token = 'token-of-the-conversation-agent';

describe('a first question', () => {
  let agents: Agent[];
  let listener: { url: string; close(): Promise<void> };
  let conversation: Agent;

  beforeAll(async () => {
    const reasoningEnvironment = { SLUICE_PROMPTS: promptsOf('reasoning'), SLUICE_POLICY: policyOf('reasoning') };
    const [retrieval, reasoning] = await Promise.all([startAgent('retrieval'), startAgent('reasoning', reasoningEnvironment)]);
    listener = await startInternalListener(token, {
      'retrieval-agent': retrieval.url,
      'reasoning-agent': reasoning.url,
      'logging-agent': (_body, _request, response) => answer(response, 201, {}),
    });
    conversation = await startAgent('conversation', {
      SLUICE_PROMPTS: promptsOf('conversation'),
      SLUICE_POLICY: policyOf('conversation'),
      SLUICE_SERVICES_URL: listener.url,
      SLUICE_TOKEN: token,
      SESSION_KEY: 'k'.repeat(48),
    });
    agents = [retrieval, reasoning, conversation];
  });

  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
    await listener.close();
  });

  it.each(questions)('%s -> %s %s', async (question, decision, article) => {
    const response = await fetch(`${conversation.url}/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ message: question }),
    });
    expect(response.headers.get('x-sluice-attributes')).toBe(`agent.decision=${decision}`);
    const reply = (await response.json()) as { decision: string; answer: string; citations: { id: string }[] };
    expect(reply.decision).toBe(decision);
    const cited = reply.citations.map(({ id }) => id);
    expect(cited.map((id) => reply.answer.includes(`[${id}]`))).toEqual(cited.map(() => true));
    expect(article === undefined ? cited.length === 0 : cited.includes(article)).toBe(true);
  });
});
