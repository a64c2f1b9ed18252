import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../effects/clock.ts';
import { seededRandom, systemRandom } from '../effects/random.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { newKey } from './key.ts';
import { createKeyring, type Keyring } from './keyring.ts';

describe('a keyring', () => {
  let now: number;
  let store: ReturnType<typeof createMemoryStore>;
  let keyring: Keyring;

  beforeEach(() => {
    now = Date.parse('2026-11-22T12:00:00.000Z');
    const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
    store = createMemoryStore();
    keyring = createKeyring({ store, clock, random: systemRandom });
  });

  it('recognizes a key it has made, and by nothing but the whole key', async () => {
    const { key, details } = await keyring.create('admin', { name: 'ci', role: 'operator' });
    expect(key).toMatch(/^sk_[A-Za-z0-9_-]{43}$/);
    expect(await keyring.authenticate(key)).toEqual({ key: details.id, name: 'ci', role: 'operator' });
    for (const wrong of ['', 'sk_', key.slice(0, -1), `${key}A`, ` ${key}`, key.toUpperCase(), details.id, newKey(systemRandom)]) {
      expect(await keyring.authenticate(wrong)).toBeUndefined();
    }
  });

  it('keeps neither the key nor anything it could be told from', async () => {
    const { key, details } = await keyring.create('admin', { name: 'ci', role: 'viewer' });
    const stored = JSON.stringify(await store.list('keys'));
    expect(stored).not.toContain(key);
    expect(stored).not.toContain(key.slice(3));
    expect(JSON.stringify(details)).not.toMatch(/digest|sk_/);
    expect(JSON.stringify(await keyring.list())).not.toMatch(/digest|sk_/);
  });

  it('looks once for all who ask at one moment, and anew for a key that was revoked elsewhere since', async () => {
    const { key, details } = await keyring.create('admin', { name: 'web', role: 'evaluator' });
    let looks = 0;
    const elsewhere = createKeyring({
      store,
      clock: { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
      random: systemRandom,
    });
    const counting = { ...store, list: (...from: Parameters<typeof store.list>) => ((looks += 1), store.list(...from)) };
    const here = createKeyring({
      store: counting,
      clock: { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
      random: systemRandom,
    });
    await here.authenticate(key);
    looks = 0;
    await Promise.all(Array.from({ length: 100 }, () => here.authenticate(key)));
    expect(looks).toBe(1);
    await elsewhere.revoke(details.id);
    now += 100;
    expect([await here.authenticate(key), await here.holder(details.id)]).toEqual([undefined, undefined]);
  });

  it('no longer recognizes a key from the moment it expires', async () => {
    const { key } = await keyring.create('admin', { name: 'short', role: 'viewer', expiresInSeconds: 60 });
    now += 59_999;
    expect(await keyring.authenticate(key)).toBeDefined();
    now += 1;
    expect(await keyring.authenticate(key)).toBeUndefined();
  });

  it('no longer recognizes a revoked key, and revokes twice without an error', async () => {
    const { key, details } = await keyring.create('admin', { name: 'ci', role: 'viewer' });
    const revoked = await keyring.revoke(details.id);
    expect(revoked.revokedAt).toBe('2026-11-22T12:00:00.000Z');
    expect(await keyring.authenticate(key)).toBeUndefined();
    now += 1_000;
    expect(await keyring.revoke(details.id)).toEqual(revoked);
    await expect(keyring.revoke('key-0000000000000000')).rejects.toMatchObject({ code: 'unknown_key' });
  });

  it('lets nobody make a key with more rights than they hold', async () => {
    await expect(keyring.create('operator', { name: 'up', role: 'admin' })).rejects.toMatchObject({ code: 'grant_exceeds_own' });
    await expect(keyring.create('viewer', { name: 'up', role: 'operator' })).rejects.toMatchObject({ code: 'grant_exceeds_own' });
    expect(await keyring.list()).toEqual([]);
  });

  it('keeps the last key that can administer, also when two are revoked at once or the other one expires by itself', async () => {
    const first = await keyring.create('admin', { name: 'first', role: 'admin' });
    await keyring.create('admin', { name: 'passing', role: 'admin', expiresInSeconds: 3_600 });
    await expect(keyring.revoke(first.details.id)).rejects.toMatchObject({ code: 'last_admin_key' });
    const second = await keyring.create('admin', { name: 'second', role: 'admin' });
    const outcomes = await Promise.allSettled([keyring.revoke(first.details.id), keyring.revoke(second.details.id)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await keyring.authenticate(second.key)).toMatchObject({ role: 'admin' });
  });

  it('tells when a key was last used, to the minute, and writes no more often', async () => {
    const { key, details } = await keyring.create('admin', { name: 'ci', role: 'viewer' });
    await keyring.authenticate(key);
    now += 59_000;
    await keyring.authenticate(key);
    expect((await keyring.list())[0]?.lastUsedAt).toBe('2026-11-22T12:00:00.000Z');
    now += 1_000;
    await keyring.authenticate(key);
    expect((await keyring.list())[0]?.lastUsedAt).toBe('2026-11-22T12:01:00.000Z');
    expect((await store.get('keys', details.id))?.version).toBe(3);
  });

  it('takes in a key from a file once, and lets a new one take the place of the old', async () => {
    const [old, fresh] = [newKey(seededRandom(1)), newKey(seededRandom(2))];
    const adopted = await keyring.adopt('local', old);
    expect(await keyring.adopt('local', old)).toEqual(adopted);
    await keyring.adopt('local', fresh);
    expect(await keyring.authenticate(old)).toBeUndefined();
    expect(await keyring.authenticate(fresh)).toMatchObject({ name: 'local', role: 'admin' });
  });
});
