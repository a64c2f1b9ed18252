import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../src/testing/conditions.ts';
import { type Agent, policyOf, promptsOf, startAgent, startRefused } from './agent-process.ts';
import { answer, startInternalListener } from './internal-listener.ts';
import { eventsOf } from './event-stream.ts';

const token = 'token-of-the-conversation-agent';
type Targets = Parameters<typeof startInternalListener>[1];

interface Interaction {
  readonly id: string;
  readonly session: string;
  readonly message: string;
  readonly decision: string;
}

const environment = (url: string) => ({
  SLUICE_PROMPTS: promptsOf('conversation'),
  SLUICE_POLICY: policyOf('conversation'),
  SLUICE_SERVICES_URL: url,
  SLUICE_TOKEN: token,
  SESSION_KEY: 'k'.repeat(48),
});
const post = (agent: Agent, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${agent.url}/chat`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

describe('the conversation agent', () => {
  let retrieval: Agent;
  let reasoning: Agent;
  let conversation: Agent;
  let listener: { url: string; close(): Promise<void> };
  const logged: Interaction[] = [];
  const targets: Targets = {};
  const logging: Targets[string] = (body, request, response) => {
    if (request.method === 'POST') logged.push(JSON.parse(body) as Interaction);
    const session = new URL(request.url ?? '', 'http://logging').searchParams.get('session');
    answer(response, 200, { interactions: logged.filter((interaction) => interaction.session === session) });
  };
  /** Logging comes after the answer, so it is waited for. */
  const logOf = (interaction: unknown): Promise<Interaction> =>
    until('the interaction to be logged', () => logged.find(({ id }) => id === interaction));
  const ask = async (body: unknown, headers: Record<string, string> = {}, agent = conversation) => {
    const response = await post(agent, body, { accept: 'application/json', ...headers });
    const content = (await response.json()) as {
      session: string;
      interaction: string;
      decision: string;
      answer: string;
      citations: { id: string }[];
      error?: { code: string; message: string };
    };
    return { status: response.status, headers: response.headers, ...content };
  };

  beforeAll(async () => {
    listener = await startInternalListener(token, targets);
    [retrieval, reasoning, conversation] = await Promise.all([
      startAgent('retrieval'),
      startAgent('reasoning', { SLUICE_PROMPTS: promptsOf('reasoning'), SLUICE_POLICY: policyOf('reasoning') }),
      startAgent('conversation', environment(listener.url)),
    ]);
  });

  beforeEach(() => {
    Object.assign(targets, { 'retrieval-agent': retrieval.url, 'reasoning-agent': reasoning.url, 'logging-agent': logging });
  });

  afterAll(async () => {
    await Promise.all([retrieval.stop(), reasoning.stop(), conversation.stop()]);
    await listener.close();
  });

  it('streams tokens, citations and the end, and says what it decided before the first of them', async () => {
    const response = await post(conversation, { message: 'How long does shipping take?' });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('x-sluice-attributes')).toBe('agent.decision=answer');
    const events = eventsOf(await response.text());
    const words = events.flatMap(({ event, data }) => (event === 'token' ? [data['text']] : []));
    expect(words.length).toBeGreaterThan(10);
    expect(words.join('')).toMatch(/^Orders placed before 14:00 .*\[shipping-times\]$/);
    expect(events.slice(words.length)).toEqual([
      { event: 'citation', data: { id: 'shipping-times', title: 'Shipping times and costs' } },
      { event: 'done', data: { session: expect.any(String), interaction: expect.any(String), decision: 'answer' } },
    ]);
    expect(await logOf(events.at(-1)?.data['interaction'])).toMatchObject({ message: 'How long does shipping take?', decision: 'answer' });
  });

  it('gives the session in the answer and in a cookie that scripts cannot read', async () => {
    const { session, headers, interaction } = await ask({ message: 'How long does shipping take?' });
    expect(headers.get('set-cookie')).toBe(`session=${session}; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax`);
    expect((await logOf(interaction)).session).toBe(session.split('.')[0]);
  });

  it('reads a reply to its own question together with what was asked before', async () => {
    const { session, decision } = await ask({ message: 'refund' });
    expect(decision).toBe('clarify');
    expect(await ask({ message: 'a yearly subscription' }, { cookie: `other=1; session=${session}` })).toMatchObject({
      decision: 'answer',
      session,
      citations: [{ id: 'refund-subscription' }],
    });
  });

  it('hands over to a person after asking back twice', async () => {
    const { session } = await ask({ message: 'xyzzy' });
    expect(await ask({ session, message: 'plugh' })).toMatchObject({ decision: 'clarify' });
    expect(await ask({ session, message: 'frobnicate' })).toMatchObject({ decision: 'escalate' });
  });

  it('knows from the log what another copy was told', async () => {
    const { session, interaction } = await ask({ message: 'refund' });
    await logOf(interaction);
    const other = await startAgent('conversation', environment(listener.url));
    expect(await ask({ session, message: 'a yearly subscription' }, {}, other)).toMatchObject({
      decision: 'answer',
      citations: [{ id: 'refund-subscription' }],
    });
    expect(await other.stop()).toBe(0);
  });

  it('answers all the same when the log is away, and remembers by itself', async () => {
    delete targets['logging-agent'];
    const { session, status } = await ask({ message: 'refund' });
    expect(status).toBe(200);
    expect(await ask({ session, message: 'a yearly subscription' })).toMatchObject({ status: 200, decision: 'answer' });
  });

  it('does not wait long for a log that hangs', async () => {
    targets['logging-agent'] = () => {};
    const { session } = await ask({ message: 'refund' });
    const before = performance.now();
    expect(await ask({ session, message: 'a yearly subscription' })).toMatchObject({ status: 200 });
    expect(performance.now() - before).toBeLessThan(2_500);
  });

  it.each(['retrieval-agent', 'reasoning-agent'])('says which agent it misses when it is the %s', async (service) => {
    delete targets[service];
    const message = `How long does shipping take without the ${service}?`;
    expect(await ask({ message })).toMatchObject({
      status: 502,
      error: { code: 'agent_failed', message: `${service}: ${service} has no ready instance` },
    });
    expect(logged.filter((interaction) => interaction.message === message)).toEqual([]);
  });

  it('refuses an answer of another agent that it does not understand', async () => {
    targets['reasoning-agent'] = (_body, _request, response) => answer(response, 200, { decision: 'guess', answer: 'x', citations: [] });
    expect(await ask({ message: 'How long does shipping take?' })).toMatchObject({ status: 502, error: { code: 'agent_failed' } });
  });

  it('keeps card numbers and API keys out of the log and of its own output', async () => {
    const { interaction } = await ask({ message: 'Does a refund go to my card 4111 1111 1111 1111 with key fw_live_abcdefgh12345678?' });
    expect((await logOf(interaction)).message).toBe('Does a refund go to my card [card number] with key [API key]?');
    expect(conversation.output()).not.toMatch(/4111|fw_live/);
  });

  it('greets back without a search', async () => {
    targets['retrieval-agent'] = (_body, _request, response) => answer(response, 500, {});
    expect(await ask({ message: 'Good morning!' })).toMatchObject({
      status: 200,
      decision: 'clarify',
      answer: expect.stringContaining('Hello'),
    });
  });

  it.each([
    [{}, "'message'"],
    [{ message: 7 }, "'message'"],
    [{ message: ' \u0000 ' }, "'message'"],
    [{ message: 'm'.repeat(2_001) }, 'at most 2000'],
    [{ message: 'Hello', session: 'made-up.signature' }, "'session' must be one this agent gave you"],
    [{ message: 'Hello', session: 5 }, "'session'"],
    ['Hello', 'the body must be a JSON object'],
  ])('refuses %j with 400', async (body, message) => {
    expect(await ask(body)).toMatchObject({ status: 400, error: { message: expect.stringContaining(message) } });
  });

  it('starts a new session for a cookie it did not sign', async () => {
    const { session } = await ask({ message: 'Hello' });
    const forged = `${session.split('.')[0]}.AAAA`;
    const reply = await ask({ message: 'Hello' }, { cookie: `session=${forged}` });
    expect(reply.status).toBe(200);
    expect(reply.session.split('.')[0]).not.toBe(session.split('.')[0]);
  });

  it('serves a page whose only script is its own', async () => {
    const response = await fetch(`${conversation.url}/`);
    const page = await response.text();
    const nonce = /script-src 'nonce-([^']+)'/.exec(response.headers.get('content-security-policy') ?? '')?.[1] ?? 'none';
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).toContain(`<script type="module" nonce="${nonce}">`);
    expect(page).toContain('Welcome to Fernwell support.');
    expect(page).not.toContain('{{');
  });

  it('finishes the stream it has begun when it is told to stop, and logs it', async () => {
    const slow = await startAgent('conversation', { ...environment(listener.url), TOKEN_INTERVAL_MS: '10' });
    const response = await post(slow, { message: 'How long does shipping take?' });
    const stopped = slow.stop();
    const events = eventsOf(await response.text());
    expect(events.at(-1)?.event).toBe('done');
    expect(await stopped).toBe(0);
    expect(logged.map(({ id }) => id)).toContain(events.at(-1)?.data['interaction']);
  });

  it('survives a client that leaves in the middle of a stream', async () => {
    const slow = await startAgent('conversation', { ...environment(listener.url), TOKEN_INTERVAL_MS: '200' });
    const client = new AbortController();
    const response = await fetch(`${slow.url}/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'How long does shipping take?' }),
      signal: client.signal,
    });
    expect(response.status).toBe(200);
    client.abort();
    await until('the agent to notice', () => slow.output().includes('"complete":false'));
    expect((await fetch(`${slow.url}/healthz`)).status).toBe(200);
    expect(await slow.stop()).toBe(0);
    expect(slow.output()).not.toContain('"level":"error"');
  });
});

describe('a conversation agent that is not configured', () => {
  const configured = {
    SLUICE_PROMPTS: promptsOf('conversation'),
    SLUICE_POLICY: policyOf('conversation'),
    SLUICE_SERVICES_URL: 'http://127.0.0.1:1',
    SESSION_KEY: 'k'.repeat(48),
  };

  it.each([
    ['SLUICE_SERVICES_URL', 'SLUICE_SERVICES_URL is not set'],
    ['SLUICE_PROMPTS', 'SLUICE_PROMPTS is not set'],
    ['SLUICE_POLICY', 'SLUICE_POLICY is not set'],
    ['SESSION_KEY', 'SESSION_KEY must have at least 32 characters'],
  ])('does not start without %s', async (name, message) => {
    const { code, output } = await startRefused('conversation', {
      ...configured,
      [name]: '',
      ...(name.startsWith('SLUICE_P') && { [name]: undefined as unknown as string }),
    });
    expect(code).toBe(1);
    expect(output).toContain(message);
  });
});
