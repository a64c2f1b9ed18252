import { describe, expect, it } from 'vitest';
import { createClient } from './client.ts';
import { createApiFixture } from './testdata/api-fixture.ts';

const path = (what: string): string => `/v1/environments/production/services/echo/rollout/${what}`;
const from = { release: 'r-0123456789ab', stage: 1 };

async function world() {
  const api = await createApiFixture();
  const send = async (what: string, body: unknown, headers: Record<string, string> = {}) => {
    const sent = await api.request('POST', path(what), { body, headers: { authorization: `Bearer ${api.keys.admin}`, ...headers } });
    return { status: sent.status, code: ((await sent.json()) as { error?: { code: string } }).error?.code };
  };
  return { api, send };
}

describe('what is done to a rollout', () => {
  it.each([
    ['promote', {}, 'repeatable_request_required'],
    ['promote', { full: true }, 'repeatable_request_required'],
    ['promote', { from }, undefined],
    ['retry', undefined, 'repeatable_request_required'],
    ['rollback', {}, 'repeatable_request_required'],
    ['rollback', { to: 'r-0123456789ab' }, undefined],
    ['pause', undefined, undefined],
    ['abort', undefined, undefined],
  ])('%s %j without a key can be repeated, or is refused before anything is done', async (what, body, code) => {
    const { api, send } = await world();
    expect(await send(what, body)).toEqual({ status: code === undefined ? 202 : 428, code });
    expect(api.calls).toHaveLength(code === undefined ? 1 : 0);
    expect(await send(what, body, { 'idempotency-key': 'mine' })).toEqual({ status: 202, code: undefined });
    expect(api.calls.at(-1)).toContain(' under mine');
  });

  it('refuses a key that is none', async () => {
    const { send } = await world();
    for (const key of ['', 'a b', 'x'.repeat(129)]) {
      expect(await send('pause', undefined, { 'idempotency-key': key })).toEqual({ status: 400, code: 'invalid_request' });
    }
  });

  it('is sent again under its key by the client when the answer is lost, and each wish has a key of its own', async () => {
    const { api } = await world();
    let lost = 1;
    const client = createClient({
      url: 'http://localhost',
      key: api.keys.admin,
      fetch: async (input, init) => {
        const answer = await api.app.request(new Request(input, init));
        if (lost-- > 0) throw new TypeError('fetch failed');
        return answer;
      },
    });
    await client.promoteRollout('production', 'echo');
    await client.retryRollout('production', 'echo');
    const keys = api.calls.map((call) => call.split(' under ')[1]);
    expect([keys.length, keys[0] === keys[1], keys[1] === keys[2]]).toEqual([3, true, false]);
  });
});
