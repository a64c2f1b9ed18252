import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSearch, type Hit } from '../agents/retrieval/search.ts';
import { parseArticle, readKnowledge } from '../agents/retrieval/knowledge.ts';
import { type Agent, startAgent } from './agent-process.ts';

const knowledge = new URL('../agents/retrieval/knowledge', import.meta.url).pathname;

describe('the knowledge', () => {
  it('has at least 25 articles, each with a title, tags and text of its own', () => {
    const articles = readKnowledge(knowledge);
    expect(articles.length).toBe(readdirSync(knowledge).length);
    expect(articles.length).toBeGreaterThanOrEqual(25);
    expect(new Set(articles.map(({ title }) => title)).size).toBe(articles.length);
    expect(new Set(articles.map(({ text }) => text)).size).toBe(articles.length);
    expect(articles.filter(({ tags }) => tags.length < 3)).toEqual([]);
  });

  it.each(['', 'no title', '# Title\n\nno tags', '# Title\n\nTags: a, b\n', '# \n\nTags: a\n\ntext'])(
    'refuses %j as an article, by its name',
    (source) => {
      expect(() => parseArticle('broken', source)).toThrow('knowledge/broken.md must be');
    },
  );
});

describe('the search', () => {
  const search = createSearch(readKnowledge(knowledge));

  it.each([
    ['cancelled subscription', 'cancel-subscription'],
    ['pasword', 'reset-password'],
    ['Wi-Fi', 'hub-wifi'],
    ['can I get my money back for a plan', 'refund-subscription'],
  ])('finds by %j what is meant: %s', (query, id) => {
    expect(search(query, 1).map((hit) => hit.id)).toEqual([id]);
  });

  it('gives no more than it was asked for, best first, each article once', () => {
    const hits = search('refund for an order', 4);
    expect(hits.length).toBe(4);
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).toSorted((one, other) => other - one));
    expect(new Set(hits.map(({ id }) => id)).size).toBe(4);
  });

  it.each(['', 'what is it', 'zzzz', '\u0000', '日本語', '.*(a+)+$'])('finds nothing for %j', (query) => {
    expect(search(query, 5)).toEqual([]);
  });
});

describe('the retrieval agent', () => {
  let agent: Agent;
  const get = async (
    path: string,
    init?: RequestInit,
  ): Promise<{ status: number; attributes: string | null; body: Record<string, unknown> }> => {
    const response = await fetch(`${agent.url}${path}`, init);
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, attributes: response.headers.get('x-sluice-attributes'), body };
  };

  beforeAll(async () => {
    agent = await startAgent('retrieval', { LOG_LEVEL: 'info' });
  });

  afterAll(async () => {
    await agent.stop();
  });

  it('gives hits with id, title, passage and score, and reports that it has an answer', async () => {
    const { status, attributes, body } = await get('/search?q=battery&limit=2');
    const [hit] = body['hits'] as Hit[];
    expect({ status, attributes }).toEqual({ status: 200, attributes: 'agent.decision=answer' });
    expect(hit).toMatchObject({
      id: 'battery',
      title: 'Sensor batteries',
      passage: expect.stringContaining('CR2450'),
      score: expect.any(Number),
    });
  });

  it('reports that it has none', async () => {
    expect(await get('/search?q=zzzz')).toEqual({ status: 200, attributes: 'agent.decision=clarify', body: { query: 'zzzz', hits: [] } });
  });

  it.each(['', '?q=', '?q=%20', '?q=a&limit=0', '?q=a&limit=21', '?q=a&limit=x', '?q=a&limit=1.5', `?q=${'a'.repeat(1_001)}`])(
    'refuses /search%s with 400',
    async (query) => {
      const { status, body } = await get(`/search${query}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: { code: 'invalid_request', message: expect.stringMatching(/'(q|limit)'/) } });
    },
  );

  it('says what there is when a path or a method is not', async () => {
    expect(await get('/nothing')).toMatchObject({ status: 404, body: { error: { message: expect.stringContaining('GET /search') } } });
    expect(await get('/search', { method: 'DELETE' })).toMatchObject({ status: 405, body: { error: { message: '/search answers GET' } } });
    expect((await get('/__proto__')).status).toBe(404);
  });

  it('logs JSON lines that say nothing of what was asked', async () => {
    await get('/search?q=verysecretword');
    const lines = agent.output().trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toContain('info');
    expect(agent.output()).not.toContain('verysecretword');
  });
});

describe('an agent that is told to stop', () => {
  it('ends with 0 within a moment although a client keeps its connection open', async () => {
    const agent = await startAgent('retrieval');
    await (await fetch(`${agent.url}/healthz`)).text();
    const before = performance.now();
    expect(await agent.stop()).toBe(0);
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});
