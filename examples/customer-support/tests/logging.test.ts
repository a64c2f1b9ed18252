import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../../src/testing/conditions.ts';
import { describeWith } from '../../../src/testing/requires.ts';
import { type Agent, startAgent, startRefused } from './agent-process.ts';
import { createPostgres, type PostgresServer } from './postgres-server.ts';

const interaction = {
  id: 'i-1',
  session: 's-1',
  at: '2026-11-22T10:00:00.000Z',
  message: "Robert'); DROP TABLE interactions;--",
  answer: 'Grüße 🌱',
  decision: 'answer',
  citations: ['battery', 'a,"b}'],
  durationMs: 12,
};

const healthy = (agent: Agent) => async () => (await fetch(`${agent.url}/healthz`)).status === 200;

describeWith('initdb', 'the logging agent with a real PostgreSQL', (initdb) => {
  let database: PostgresServer;
  let copies: readonly [Agent, Agent];
  const request = async (path: string, body?: unknown, agent: Agent = copies[0]) => {
    const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${agent.url}${path}`, init);
    return {
      status: response.status,
      attributes: response.headers.get('x-sluice-attributes'),
      body: (await response.json()) as Record<string, unknown>,
    };
  };

  beforeAll(async () => {
    database = await createPostgres(initdb);
    const start = () => startAgent('logging', { DATABASE_URL: database.url });
    copies = await Promise.all([start(), start()]);
  });

  afterAll(async () => {
    await Promise.all(copies.map((copy) => copy.stop()));
    await database.remove();
  });

  it('waits for a database that is not there yet, and says so', async () => {
    expect(await request('/healthz')).toMatchObject({ status: 503, body: { status: 'waiting for the database' } });
    expect(await request('/interactions', interaction)).toMatchObject({ status: 503, body: { error: { code: 'database_unavailable' } } });
  });

  it('starts in two copies at once on a database that has been migrated', async () => {
    await database.start();
    await database.migrate();
    await Promise.all(copies.map((copy) => until('the agent to be ready', healthy(copy))));
    expect(await database.migrate()).toEqual([]);
  });

  it('stores an interaction once however often it is sent, and gives it back as it was', async () => {
    expect(await request('/interactions', interaction)).toEqual({
      status: 201,
      attributes: 'agent.decision=answer',
      body: { id: 'i-1', added: true },
    });
    expect(await request('/interactions', interaction, copies[1])).toMatchObject({ status: 200, body: { added: false } });
    expect(await request('/interactions?session=s-1')).toMatchObject({
      status: 200,
      body: { session: 's-1', interactions: [interaction] },
    });
  });

  it('gives the latest interactions of one session, oldest first', async () => {
    for (const minute of [1, 3, 2]) {
      await request('/interactions', {
        ...interaction,
        id: `i-2-${minute}`,
        session: 's-2',
        at: `2026-11-22T10:0${minute}:00Z`,
        decision: 'clarify',
      });
    }
    const { body } = await request('/interactions?session=s-2&limit=2');
    expect((body['interactions'] as { id: string }[]).map(({ id }) => id)).toEqual(['i-2-2', 'i-2-3']);
    expect(await request('/interactions?session=nobody')).toMatchObject({ body: { interactions: [] } });
  });

  it('counts by decision', async () => {
    expect(await request('/stats')).toMatchObject({ body: { total: 4, decisions: { answer: 1, clarify: 3, escalate: 0 } } });
  });

  it.each([
    [{ ...interaction, id: undefined }, "'id'"],
    [{ ...interaction, decision: 'guess' }, "'decision'"],
    [{ ...interaction, at: 'yesterday' }, "'at'"],
    [{ ...interaction, message: '' }, "'message'"],
    [{ ...interaction, citations: 'battery' }, "'citations'"],
    [{ ...interaction, durationMs: -1 }, "'durationMs'"],
  ])('refuses %j with 400', async (body, field) => {
    expect(await request('/interactions', body)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining(field) } },
    });
  });

  it('refuses to list without a session or with a limit that is none', async () => {
    expect((await request('/interactions')).status).toBe(400);
    expect((await request('/interactions?session=s-1&limit=0')).status).toBe(400);
  });

  it('says that the database is away, and goes on when it is back, with everything it had', async () => {
    await database.stop();
    await until('the agent to notice', async () => (await request('/healthz')).status === 503);
    expect(await request('/stats')).toMatchObject({ status: 503, body: { error: { code: 'database_unavailable' } } });
    await database.start();
    await until('the agent to be ready again', healthy(copies[0]));
    expect(await request('/stats')).toMatchObject({ status: 200, body: { total: 4 } });
  });

  it('ends with 0 when it is told to stop', async () => {
    expect(await copies[1].stop()).toBe(0);
  });

  it('does not start without a database', async () => {
    const { code, output } = await startRefused('logging');
    expect(code).toBe(1);
    expect(output).toContain('DATABASE_URL is not set');
  });
});
