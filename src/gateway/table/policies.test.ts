import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import { chooseInstance } from '../balancing/choose.ts';
import { createInstances } from '../balancing/instance.ts';
import type { RequestHead } from '../http/downstream.ts';
import type { RoutedService } from '../routing/routes.ts';
import { backend, type PartialRoute, routeOf } from '../testing/rig.ts';
import { compileTable, refreshReady, tickPolicies } from './compile-table.ts';
import { createPolicyMemory } from './service-policies.ts';

const limits = { concurrency: 2, queue: 10, queueMs: 1_000, priority: 'normal' } as const;
const rate = { key: { by: 'caller' }, requests: 1, perMs: 1_000, burst: 1 } as const;
const cache = { ttlMs: 1_000, methods: ['GET' as const], vary: [], maxBytes: 1_000_000 };
const full: PartialRoute = { limits, rateLimits: [rate], cache, retryBudget: 0.5, backends: [backend('r1', 1, { a: 1, b: 2 })] };
const head = { method: 'GET', host: 'h', target: '/', headers: [], body: 'none', upgrade: undefined } as unknown as RequestHead;
const silent = { priority: 'normal', granted: () => {}, shed: () => {} } as const;

/** Compiles one table after another, as a gateway does. */
function createGateway(granted?: number) {
  const instances = createInstances();
  let now = 0;
  const policies = createPolicyMemory(() => now);
  return {
    put: (route: PartialRoute): RoutedService => {
      const table = { version: 1, listeners: [], services: [routeOf({ expose: [], ...route })] };
      return compileTable(table, instances, { policies, ...(granted !== undefined && { granted: () => granted }) }).routes
        .services[0] as RoutedService;
    },
    clear: () => compileTable({ version: 1, listeners: [], services: [] }, instances, { policies }),
    at: (time: number) => {
      now = time;
    },
  };
}

/** How many more are let in at once. */
function room({ limiter }: RoutedService): number {
  let count = 0;
  while (limiter?.enter({ ...silent }) === 'granted') count += 1;
  return count;
}

describe('a compiled service', () => {
  test('has what the table asks for and nothing more', () => {
    const { put } = createGateway();
    const plain = put({ backends: [backend('r1', 1, { a: 1 })] });
    expect([plain.limiter, plain.rateLimiters, plain.cache, plain.mirror, plain.priority]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect([plain.split, plain.retryBudget, plain.outliers]).not.toContain(undefined);
    const mirror = { release: 'r2', percent: 5, bodyBytes: 10 };
    const rich = put({ ...full, mirror, slowStartMs: 5, backends: [backend('r2', 0, { c: 3 }), backend('r1', 1, { a: 1 })] });
    expect(rich).toMatchObject({ priority: 'normal', mirror: { backend: { release: 'r2' }, percent: 5 } });
    expect(rich.backends[0]).toMatchObject({ concurrency: 2, slowStartMs: 5 });
  });

  test('lets in as many as its ready instances work on, of which each process has its part', () => {
    const service = createGateway().put(full);
    expect(room(service)).toBe(4);
    expect(room(createGateway(3).put(full))).toBe(3);
    expect(room(createGateway().put({ limits, backends: [backend('r1', 1, {})] }))).toBe(2);
  });

  test('has room for less when an instance is no longer ready, and at least for what one works on', () => {
    const { put } = createGateway();
    const service = put(full);
    for (const instance of service.instances) instance.healthy = false;
    refreshReady(service);
    expect(room(service)).toBe(2);
    for (const instance of service.instances) instance.healthy = true;
    refreshReady(service);
    // The one that found no room has waited for it.
    expect(service.limiter?.running()).toBe(3);
  });

  test('ejects an instance, has room for less, and takes it back when its time is over', () => {
    const { put } = createGateway();
    const service = put(full);
    const [sick, sound] = service.instances;
    if (!sick) throw new Error('there is no instance');
    for (let index = 0; index < 5; index += 1) service.outliers?.report(sick, true, 100);
    expect([service.backends[0]?.ready, chooseInstance(service.backends, seededRandom(1))]).toEqual([[sound], sound]);
    expect(room(service)).toBe(2);
    tickPolicies({ version: 1, exposed: new Map(), callers: new Map(), services: [service] }, 10_100);
    expect(service.backends[0]?.ready).toHaveLength(2);
  });
});

describe('over a switch of tables', () => {
  test('what runs and waits, spent tokens, budgets, kept answers and ejections stay', () => {
    const { put } = createGateway();
    const before = put(full);
    room(before);
    expect(before.rateLimiters?.[0]?.limiter.take('x', 0)).toBe(0);
    before.cache?.writer(head, 200, [], 0)?.end();
    for (let index = 0; index < 5; index += 1) before.outliers?.report(before.instances[0] as RoutedService['instances'][0], true, 0);
    const after = put({ ...full, backends: [backend('r1', 3, { a: 1, b: 2 })] });
    expect(after.limiter?.running()).toBe(4);
    expect(after.rateLimiters?.[0]?.limiter.take('x', 0)).toBeGreaterThan(0);
    expect(after.cache?.lookup(head, 1)).toBeDefined();
    expect([after.retryBudget === before.retryBudget, after.backends[0]?.ready.length]).toEqual([true, 1]);
  });

  test('other settings begin anew, but not for what runs and waits', () => {
    const { put } = createGateway();
    const before = put(full);
    room(before);
    before.rateLimiters?.[0]?.limiter.take('x', 0);
    before.cache?.writer(head, 200, [], 0)?.end();
    const after = put({
      ...full,
      limits: { ...limits, concurrency: 3 },
      rateLimits: [{ ...rate, burst: 2 }],
      cache: { ...cache, ttlMs: 5 },
      retryBudget: 1,
    });
    // The one that found no room waited, and there is room for six now.
    expect([after.limiter?.running(), room(after)]).toEqual([5, 1]);
    expect(after.rateLimiters?.[0]?.limiter.take('x', 0)).toBe(0);
    expect([after.cache?.lookup(head, 1), after.retryBudget === before.retryBudget]).toEqual([undefined, false]);
  });

  test.each([
    ['no longer limited', ({ put }: ReturnType<typeof createGateway>) => put({ backends: full.backends ?? [] })],
    ['no longer there', ({ clear }: ReturnType<typeof createGateway>) => clear()],
  ])('whoever waits for a service that is %s goes on', (_what, change) => {
    const gateway = createGateway();
    const service = gateway.put(full);
    let granted = 0;
    for (let index = 0; index < 6; index += 1) service.limiter?.enter({ ...silent, granted: () => (granted += 1) });
    expect(granted).toBe(0);
    change(gateway);
    expect(granted).toBe(2);
  });

  test('whoever has waited too long is shed by the tick', () => {
    const { put, at } = createGateway();
    const service = put(full);
    const told: string[] = [];
    for (let index = 0; index < 5; index += 1) service.limiter?.enter({ ...silent, shed: (reason) => told.push(reason) });
    at(999);
    const routes = { version: 1, exposed: new Map(), callers: new Map(), services: [service] };
    tickPolicies(routes, 999);
    expect(told).toEqual([]);
    tickPolicies(routes, 1_000);
    expect(told).toEqual(['timeout']);
  });

  test('a new instance begins slowly, one that was there does not', () => {
    const { put } = createGateway();
    const before = put({ ...full, slowStartMs: 100 });
    const [known] = before.instances;
    for (let index = 0; index < 9; index += 1) chooseInstance(before.backends, seededRandom(index), [], 7);
    const after = put({ ...full, slowStartMs: 100, backends: [backend('r1', 1, { a: 1, c: 3 })] });
    expect(after.instances.map(({ id, rampingSince }) => [id, rampingSince])).toEqual([
      ['a', 7],
      ['c', undefined],
    ]);
    if (known) known.healthy = false;
    refreshReady(after);
    if (known) known.healthy = true;
    refreshReady(after);
    expect(known?.rampingSince).toBeUndefined();
  });

  test('a meter is asked for each release', () => {
    const asked: string[] = [];
    const table = { version: 1, listeners: [], services: [routeOf({ expose: [], ...full })] };
    const meter = { begin: () => {}, end: () => {}, ejected: () => {}, copied: () => {} };
    const meterOf = (...names: string[]) => (asked.push(names.join(' ')), meter);
    expect(compileTable(table, createInstances(), { meterOf }).routes.services[0]?.backends[0]?.meter).toBe(meter);
    expect(asked).toEqual(['test app r1']);
  });
});
