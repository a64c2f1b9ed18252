import { beforeEach, describe, expect, it } from 'vitest';
import { endpoints } from './endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import { createApiFixture, knownHolder, knownPlan, type ApiFixture } from './testdata/api-fixture.ts';

describe('changes through the API', () => {
  let api: ApiFixture;
  beforeEach(async () => {
    api = await createApiFixture();
  });
  const reason = { 'x-sluice-reason': encodeURIComponent('too slow – läuft über') };

  it('are recorded before and after: who, what, when, why, outcome', async () => {
    const path = '/v1/environments/production/services/echo/scale';
    expect((await api.request('POST', path, { as: 'operator', body: { replicas: 3 }, headers: reason })).status).toBe(202);
    const operator = (await api.keyring.list()).find(({ name }) => name === 'operator');
    const said = {
      actor: { name: 'operator', key: operator?.id },
      action: 'service.scale',
      environment: 'production',
      target: 'production/service/echo',
      reason: 'too slow – läuft über',
      details: { replicas: 3 },
    };
    expect(await api.audit.read(0, 9)).toMatchObject([
      { ...said, phase: 'begun' },
      { ...said, phase: 'ended', of: 1, outcome: 'succeeded' },
    ]);
    expect((await api.audit.verify()).findings).toEqual([{ problem: 'the head outside the database is missing' }]);
  });

  it('that fail are recorded with the code of their error', async () => {
    const path = '/v1/environments/production/unlock';
    expect((await api.request('POST', path, { as: 'operator', body: { since: '2020-01-01T00:00:00.000Z' } })).status).toBe(409);
    expect((await api.request('POST', path, { as: 'operator', body: { since: knownHolder.since } })).status).toBe(200);
    expect((await api.audit.read(0, 9)).filter(({ phase }) => phase === 'ended')).toMatchObject([
      { action: 'environment.unlock', outcome: 'failed', error: 'lock_changed' },
      { action: 'environment.unlock', outcome: 'succeeded' },
    ]);
  });

  it('record a new key by its id and never the key itself', async () => {
    const response = await api.request('POST', '/v1/keys', { as: 'admin', body: { name: 'ci', role: 'viewer' } });
    const { key, details } = (await response.json()) as { key: string; details: { id: string } };
    const records = await api.audit.read(0, 9);
    expect(records.at(-1)).toMatchObject({ action: 'key.create', target: details.id, details: { name: 'ci', role: 'viewer' } });
    expect(JSON.stringify(records)).not.toContain(key);
  });

  it('record what is forgotten', async () => {
    const value = { address: 'production/service/echo', outputs: {} };
    await api.store.transact([{ operation: 'put', collection: 'resources', key: value.address, value }]);
    await api.request('DELETE', '/v1/environments/production/resources/service/echo', { as: 'admin', headers: reason });
    expect((await api.audit.read(0, 9)).at(-1)).toMatchObject({ action: 'resource.forget', phase: 'ended', outcome: 'succeeded' });
  });

  it('are not made when the caller may not, or when what was asked cannot be understood', async () => {
    await api.request('POST', '/v1/environments/production/services/echo/scale', { as: 'viewer', body: { replicas: 3 } });
    await api.request('POST', '/v1/environments/production/services/echo/scale', { as: 'operator', body: { replicas: -3 } });
    const scale = { as: 'operator', body: { replicas: 3 } } as const;
    for (const header of ['%E0%A4', encodeURIComponent('a\nb'), 'x'.repeat(501)]) {
      const headers = { 'x-sluice-reason': header };
      const answer = await api.request('POST', '/v1/environments/production/services/echo/scale', { ...scale, headers });
      expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'invalid_request' } }]);
    }
    expect([await api.audit.last(), api.calls]).toEqual([0, []]);
  });

  it('hand reason and parallelism on to a run, which records itself', async () => {
    await api.request('POST', `/v1/plans/${knownPlan.id}/apply?parallelism=3`, { as: 'operator', headers: reason });
    expect(api.calls).toEqual(['start 3 too slow – läuft über']);
    expect(await api.audit.last()).toBe(0);
  });

  it('cannot be forgotten: every route that is not a GET is recorded, or says why not', () => {
    const silent = (Object.entries(endpoints) as [string, Endpoint][])
      .filter(([, { method }]) => method !== 'get')
      .flatMap(([name, { audit }]) => (typeof audit === 'string' ? [`${name} ${audit}`] : []));
    expect(silent).toEqual([
      'createPlan no_change',
      'applyPlan itself',
      'repairDrift itself',
      'setFlag itself',
      'clearFlag itself',
      'killFlag itself',
      'previewFlag no_change',
      'startFlagRollout itself',
      'stopFlagRollout itself',
      'evaluateFlag no_change',
      'backUpDatabase itself',
      'planRestore no_change',
      'restoreDatabase itself',
    ]);
  });

  const page = async (after: number) => (await api.request('GET', `/v1/audit?after=${after}&limit=4`, { as: 'admin' })).json();

  it('are listed in pages for administrators', async () => {
    for (const replicas of [1, 2, 3])
      await api.request('POST', '/v1/environments/production/services/echo/scale', { as: 'operator', body: { replicas } });
    expect(await page(0)).toMatchObject({ last: 4, items: [{ sequence: 1 }, {}, {}, { sequence: 4 }] });
    expect(await page(4)).toMatchObject({ last: 6, items: [{}, {}] });
    expect(await page(6)).toEqual({ last: 6, items: [] });
  });
});
