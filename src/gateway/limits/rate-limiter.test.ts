import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestHead } from '../http/downstream.ts';
import { networkOf, rateKeyOf } from './rate-key.ts';
import { createRateLimiter } from './rate-limiter.ts';

describe('a rate limiter', () => {
  test('lets a burst through and then one request after another, and says when the next one may come', () => {
    const limiter = createRateLimiter({ requests: 10, perMs: 1_000, burst: 3 });
    expect([1, 2, 3].map(() => limiter.take('a', 0))).toEqual([0, 0, 0]);
    expect(limiter.take('a', 0)).toBeCloseTo(100);
    expect(limiter.take('a', 40)).toBeCloseTo(60);
    expect(limiter.take('a', 100)).toBe(0);
    expect(limiter.take('a', 100)).toBeCloseTo(100);
    expect(limiter.take('b', 100)).toBe(0);
    expect([1, 2, 3, 4].map(() => limiter.take('a', 10_000) === 0)).toEqual([true, true, true, false]);
  });

  test('misses what was taken elsewhere, also when that was more than there was', () => {
    const told: string[] = [];
    const limiter = createRateLimiter({ requests: 10, perMs: 1_000, burst: 3 }, { taken: (key) => told.push(key) });
    expect(limiter.take('a', 0)).toBe(0);
    limiter.spend('a', 3, 0);
    expect(limiter.take('a', 0)).toBeCloseTo(200);
    expect(limiter.take('a', 200)).toBe(0);
    limiter.spend('b', 1, 0);
    expect([limiter.take('b', 0), limiter.take('b', 0)]).toEqual([0, 0]);
    expect(limiter.take('b', 0)).toBeGreaterThan(0);
    expect(told).toEqual(['a', 'a', 'b', 'b']);
  });

  test('does what a bucket of tokens does, over any history', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.nat(200), { maxLength: 100 }),
        (requests, burst, pauses) => {
          const limiter = createRateLimiter({ requests, perMs: 1_000, burst });
          let [tokens, now] = [burst, 0];
          for (const pause of pauses) {
            now += pause;
            tokens = Math.min(burst, tokens + (pause * requests) / 1_000);
            const isTaken = limiter.take('key', now) === 0;
            expect(isTaken).toBe(tokens >= 1 - 1e-6);
            if (isTaken) tokens -= 1;
          }
        },
      ),
    );
  });

  test('keeps no more keys than it may, and forgets full buckets before others', () => {
    const limiter = createRateLimiter({ requests: 1, perMs: 1_000, burst: 1 }, { maxKeys: 3 });
    limiter.take('idle', 0);
    for (const key of ['a', 'b']) limiter.take(key, 900);
    expect(limiter.take('c', 1_100)).toBe(0);
    // All of them are still known: none but the idle one was full.
    for (const key of ['a', 'b', 'c']) expect(limiter.take(key, 1_100)).toBeGreaterThan(0);
    expect(limiter.take('d', 1_100)).toBe(0);
    // For it the fullest had to go.
    expect(limiter.take('c', 1_100)).toBeGreaterThan(0);
    for (let index = 0; index < 10_000; index += 1) expect(limiter.take(`flood-${index}`, 1_100)).toBe(0);
  });
});

const head = (clientAddress: string, ...headers: string[]) => ({ clientAddress, headers }) as unknown as RequestHead;

describe('what is counted apart', () => {
  test('is the address of a client, and a service on the internal side', () => {
    const keyOf = rateKeyOf({ by: 'client' });
    expect(keyOf(head('192.0.2.1'), undefined)).toBe('192.0.2.1');
    expect(keyOf(head('127.0.0.1'), 'caller')).toBe('service caller');
  });

  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
  ])('is the network of %s, which one subscriber has all of', (address, network) => expect(networkOf(address)).toBe(network));

  test('is a caller, or a header of any length', () => {
    expect([rateKeyOf({ by: 'caller' })(head('a'), 'x'), rateKeyOf({ by: 'caller' })(head('a'), undefined)]).toEqual(['x', '']);
    const keyOf = rateKeyOf({ by: 'header', name: 'X-Key' });
    expect([keyOf(head('a', 'x-key', 'k'), undefined), keyOf(head('a'), undefined)]).toEqual(['k', '']);
    const [long, other] = ['a', 'b'].map((end) => keyOf(head('a', 'x-key', `${'x'.repeat(9_000)}${end}`), undefined));
    expect([long?.length, long === other]).toEqual([44, false]);
  });
});
