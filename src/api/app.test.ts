import { beforeEach, describe, expect, it } from 'vitest';
import { sluiceError } from '../errors/sluice-error.ts';
import { createApiFixture, knownPlan, type ApiFixture } from './testdata/api-fixture.ts';

describe('the HTTP API', () => {
  let api: ApiFixture;
  beforeEach(async () => {
    api = await createApiFixture();
  });

  it('tells anybody that it is alive, and nothing more', async () => {
    const response = await api.request('GET', '/healthz');
    expect([response.status, await response.text()]).toEqual([200, '{"status":"ok"}']);
  });

  it('answers only under the names it was told, so that a rebound name gets nothing', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', 'evil.example:80', '', 'localhost@evil.example']) {
      const response = await api.request('GET', '/healthz', { headers: { host } });
      expect([host, response.status]).toEqual([host, 421]);
    }
    for (const host of ['localhost', 'LOCALHOST:41873', 'localhost:80']) {
      expect((await api.request('GET', '/healthz', { headers: { host } })).status).toBe(200);
    }
  });

  it('allows no other origin: no header of CORS, also not for a preflight', async () => {
    const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' };
    for (const [method, path] of [
      ['OPTIONS', '/v1/plans'],
      ['GET', '/healthz'],
    ] as const) {
      const response = await api.request(method, path, { headers });
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect((await api.request('OPTIONS', '/v1/plans', { headers })).status).toBe(404);
  });

  it('refuses a body that is declared too large before it looks for a key', async () => {
    const response = await api.request('POST', '/v1/plans', { body: '{}', headers: { 'content-length': '1048577' } });
    expect(response.status).toBe(413);
    expect((await api.request('POST', '/v1/plans', { body: '{}', headers: { 'content-length': 'many' } })).status).toBe(413);
  });

  it('stops reading a body of undeclared length at the limit', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const init = {
      method: 'POST',
      body: endless,
      duplex: 'half' as const,
      headers: { authorization: `Bearer ${api.keys.admin}`, 'content-type': 'application/json' },
    };
    expect((await api.app.request('http://localhost/v1/plans', init)).status).toBe(413);
    expect(sent).toBeLessThan(1_500_000);
  });

  it('takes JSON only, and says what is wrong with it without repeating it', async () => {
    const ask = (body: string, type = 'application/json') =>
      api.request('POST', '/v1/plans', { as: 'operator', body, headers: { 'content-type': type } });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '']) {
      expect((await ask('{"stack":"."}', type)).status).toBe(415);
    }
    expect((await ask('{"stack":"."}', 'Application/JSON; charset=utf-8')).status).toBe(201);
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{"stack":""}',
      '{"stack":".","mode":"apply!"}',
      '{"stack":".","canary-1f3":true}',
      '{"stack":".","variables":{"a":{"b":"canary-1f3"}}}',
      '{"stack":".","environment":"../canary-1f3"}',
      '['.repeat(500_000),
    ]) {
      const response = await ask(body);
      const text = await response.text();
      expect([body.slice(0, 60), response.status]).toEqual([body.slice(0, 60), 400]);
      expect(text).toContain('"code":"invalid_request"');
      expect(text.replace('Unrecognized key: \\"canary-1f3\\"', '')).not.toContain('canary');
    }
    expect(api.orders).toHaveLength(1);
  });

  it('fills in what a request leaves out, and lets nothing reach the prototype', async () => {
    const body = '{"stack":"shop","variables":{"__proto__":"x","constructor":"y"}}';
    await api.request('POST', '/v1/plans', { as: 'operator', body });
    expect(api.orders[0]).toMatchObject({ stack: 'shop', mode: 'apply', allowDestroy: [] });
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(Object.getPrototypeOf(api.orders[0]?.variables ?? {})).toBe(Object.prototype);
  });

  it('refuses names that are no names and parameters that are unknown or given twice', async () => {
    for (const path of [
      '/v1/environments/..%2Fetc/resources',
      '/v1/environments/Production/resources',
      `/v1/environments/${'a'.repeat(64)}/resources`,
      '/v1/environments/production/resources/process/echo',
      '/v1/environments/production/resources/service/%00',
      '/v1/plans/..%2F..%2Fkeys',
      '/v1/runs?limit=0',
      '/v1/runs?limit=5&limit=6',
      '/v1/runs?limits=5',
      '/v1/events?after=-1',
    ]) {
      const response = await api.request('GET', path, { as: 'admin' });
      expect([path, response.status]).toEqual([path, 400]);
    }
  });

  it('answers with the error of the catalogue, its problems and what to do next', async () => {
    const problem = {
      severity: 'error',
      code: 'unsupported_kind',
      message: 'm',
      help: 'h',
      position: { file: 'stack.yaml', line: 3, column: 1 },
    } as const;
    api = await createApiFixture({
      plans: {
        create: () => Promise.reject(sluiceError('plan_refused', { count: 1 }, { problems: [problem] })),
        get: () => Promise.resolve(knownPlan),
      },
    });
    const response = await api.request('POST', '/v1/plans', { as: 'operator', body: { stack: '.' } });
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({
      error: {
        code: 'plan_refused',
        message: 'The stack cannot be planned: 1 error.',
        help: expect.stringContaining('nothing has been changed'),
        retry: 'terminal',
        problems: [problem],
      },
    });
  });

  it('keeps the words of an unexpected error to its log', async () => {
    const secret = 'postgres://agent:canary-77@127.0.0.1/db';
    api = await createApiFixture({ status: () => Promise.reject(new Error(`cannot reach ${secret}`)) });
    const response = await api.request('GET', '/v1/status', { as: 'admin' });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('canary-77');
    expect(api.reported.map(({ code }) => code)).toEqual(['internal_error']);
  });

  it('knows no operation beside the table, and no environment by the beginning of its name', async () => {
    expect((await api.request('GET', '/v1/secrets', { as: 'admin' })).status).toBe(404);
    expect((await api.request('PUT', '/v1/plans', { as: 'admin' })).status).toBe(404);
    const value = { address: 'production/cache/a', outputs: {}, declared: {}, dependencies: [] };
    await api.store.transact([{ operation: 'put', collection: 'resources', key: 'production/cache/a', value }]);
    expect(await (await api.request('GET', '/v1/environments/prod/resources', { as: 'viewer' })).json()).toEqual([]);
    expect(await (await api.request('GET', '/v1/environments/production/resources', { as: 'viewer' })).json()).toHaveLength(1);
  });

  it('masks the secret outputs of a resource and shows no field it was not told to show', async () => {
    const value = {
      address: 'production/database/db',
      environment: 'production',
      kind: 'database',
      name: 'db',
      outputs: { host: { value: '127.0.0.1' }, url: { sealed: 'v1.canary-sealed' } },
      resolved: { 'env.URL': 'sha256:canary-digest' },
      declared: { sku: 'small' },
      dependencies: [],
    };
    await api.store.transact([{ operation: 'put', collection: 'resources', key: value.address, value }]);
    const response = await api.request('GET', '/v1/environments/production/resources/database/db', { as: 'viewer' });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ outputs: { host: { value: '127.0.0.1' }, url: { secret: true } } });
    expect(text).not.toContain('canary');
  });

  it('describes itself as OpenAPI 3.1 with every operation behind a key but the health check', async () => {
    const description = (await (await api.request('GET', '/openapi.json', { as: 'viewer' })).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { security: unknown[]; responses: Record<string, unknown> }>>;
      components: { schemas: Record<string, unknown> };
    };
    expect(description.openapi).toBe('3.1.0');
    const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ id: `${method} ${path}`, operation })),
    );
    expect(operations.filter(({ operation }) => operation.security.length === 0).map(({ id }) => id)).toEqual(['get /healthz']);
    expect(operations.every(({ operation }) => 'default' in operation.responses)).toBe(true);
    expect(Object.keys(description.components.schemas)).toEqual(expect.arrayContaining(['Plan', 'Run', 'Service', 'Event', 'Error']));
  });
});
