import { beforeEach, describe, expect, it } from 'vitest';
import { allows, roles } from '../access/roles.ts';
import { endpoints } from './endpoints.ts';
import { ofrepRoutes } from './ofrep/ofrep-routes.ts';
import type { JsonObject } from '../digest/json.ts';
import { newFlagRollout } from '../flag-rollouts/new-rollout.ts';
import type { Endpoint } from './endpoint.ts';
import { demandAccessRules } from './register.ts';
import { waitingMessage } from '../notifications/testdata/messages.ts';
import { createApiFixture, knownHolder, knownPlan, knownRun, knownOperation, type ApiFixture } from './testdata/api-fixture.ts';

const rows = Object.entries(endpoints) as [string, Endpoint][];

/** A request that succeeds when it is allowed. */
const bodies: Readonly<Record<string, unknown>> = {
  createPlan: { stack: '.' },
  scaleService: { replicas: 2 },
  promoteRollout: {},
  rollBack: {},
  planRestore: { to: 'latest' },
  restoreDatabase: { to: 'latest' },
  createKey: { name: 'new', role: 'viewer' },
  shutdown: { workloads: 'keep' },
  setFlag: { variant: 'on' },
  previewFlag: { change: 'kill' },
  evaluateFlag: { context: {} },
  startFlagRollout: { variant: 'on', service: 'hello' },
  unlock: { since: knownHolder.since },
};

async function pathOf(name: string, { path }: Endpoint, { keyring, store, flagParts, outbox }: ApiFixture): Promise<string> {
  if (name === 'getResource' || name === 'forgetResource') {
    const state = { outputs: {}, dependencies: [], declared: {} };
    await store.transact([{ operation: 'put', collection: 'resources', key: 'production/service/echo', value: state }]);
  }
  if (path.includes('/flags')) {
    const now = '2026-11-22T12:00:00.000Z';
    const definition = { variants: { on: true, off: false }, default: 'off', rules: [] };
    const override = name === 'startFlagRollout' ? undefined : { action: 'kill' as const, by: 'ann', at: now };
    const flag = {
      id: 'flag-1',
      environment: 'production',
      name: 'echo',
      declared: {},
      definition,
      override,
      createdAt: now,
      changedAt: now,
    };
    await flagParts.documents.change('production', 'echo', () => ({ after: flag, change: { action: 'applied', by: 'apply' } }));
    const request = { variant: 'on', service: 'hello', steps: [10], stepMs: 1, noticeMs: 1, attribute: 'user', alpha: 0.05, minUnits: 1 };
    const rollout = newFlagRollout({ ...flag, override: undefined }, { ...request, errorTolerance: 1 }, { id: 'f1', by: 'ann' }, 0);
    if (name.endsWith('FlagRollout') && name !== 'startFlagRollout') {
      await store.transact([
        { operation: 'put', collection: 'flag-rollouts', key: 'production/echo', value: rollout as unknown as JsonObject },
      ]);
    }
  }
  const waiting = waitingMessage('production', 'echo');
  if (path.includes('/notifications') || path.includes('/messages/')) {
    const value = { environment: 'production', name: 'echo', url: 'http://127.0.0.1:1/', format: 'json', on: ['completed'] };
    await store.transact([
      { operation: 'put', collection: 'notifications', key: 'production/echo', value },
      outbox.withdrawal(waiting.id),
      outbox.entry(waiting),
    ]);
  }
  const viewer = (await keyring.list()).find((key) => key.name === 'viewer');
  const id = path.includes('/operations/')
    ? knownOperation.id
    : path.includes('/plans/')
      ? knownPlan.id
      : path.includes('/runs/')
        ? knownRun.id
        : path.includes('/messages/')
          ? waiting.id
          : (viewer?.id ?? '');
  return path.replace('{id}', id).replace('{environment}', 'production').replace('{kind}', 'service').replace('{name}', 'echo');
}

describe('access', () => {
  let api: ApiFixture;
  beforeEach(async () => {
    api = await createApiFixture();
  });

  it('has a rule for every route of the router, and the router holds exactly the route table', () => {
    demandAccessRules(api.app);
    const routed = api.app.routes.map(({ method, path }) => `${method} ${path}`).toSorted();
    const table = rows.map(([, row]) => `${row.method.toUpperCase()} ${row.path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    const protocol = Object.values(ofrepRoutes).map(({ method, path }) => `${method} ${path}`);
    expect(routed).toEqual([...table, ...protocol].toSorted());
  });

  it('is demanded of a route that was put into the router by hand', () => {
    api.app.get('/v1/backdoor', (context) => context.text('open'));
    expect(() => demandAccessRules(api.app)).toThrow('the route GET /v1/backdoor has no access rule');
  });

  it('is open for nothing but the health check', () => {
    expect(rows.filter(([, row]) => 'public' in row.access).map(([name]) => name)).toEqual(['health']);
  });

  describe.each(rows.filter(([, row]) => 'permission' in row.access))('to %s', (name, row) => {
    const ask = async (headers: Record<string, string>): Promise<Response> =>
      api.request(row.method.toUpperCase(), await pathOf(name, row, api), {
        body: bodies[name],
        headers: { 'idempotency-key': 'once', ...headers },
      });

    it('is refused without a key, with a wrong one and with a key anywhere but in the header', async () => {
      const { admin } = api.keys;
      const wrong: Record<string, string>[] = [
        {},
        { authorization: '' },
        { authorization: 'Bearer' },
        { authorization: 'Bearer undefined' },
        { authorization: admin },
        { authorization: `Basic ${admin}` },
        { authorization: `Bearer ${admin}x` },
        { authorization: `Bearer ${admin},Bearer ${admin}` },
        { cookie: `authorization=Bearer ${admin}; key=${admin}` },
        { 'x-api-key': admin },
      ];
      for (const headers of wrong) {
        const response = await ask(headers);
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
        expect(await response.json()).toMatchObject({ error: { code: 'unauthenticated' } });
      }
      const inQuery = await api.request(row.method.toUpperCase(), `${await pathOf(name, row, api)}?key=${admin}&access_token=${admin}`);
      expect(inQuery.status).toBe(401);
      expect(api.calls).toEqual([]);
    });

    it.each(roles)('is as the rule says for %s', async (role) => {
      const permission = 'permission' in row.access ? row.access.permission : 'administer';
      const response = await ask({ authorization: `Bearer ${api.keys[role]}` });
      const allowed = allows(role, permission);
      expect(response.status).toBe(allowed ? row.status : 403);
      const text = await response.text();
      expect(text.includes('"code":"forbidden"')).toBe(!allowed);
      expect(allowed || api.calls.length + api.orders.length === 0).toBe(true);
    });

    it('is refused with a revoked key', async () => {
      const admin = (await api.keyring.list()).find((key) => key.name === 'admin');
      await api.keyring.create('admin', { name: 'second', role: 'admin' });
      await api.keyring.revoke(admin?.id ?? '');
      expect((await ask({ authorization: `Bearer ${api.keys.admin}` })).status).toBe(401);
    });
  });
});
