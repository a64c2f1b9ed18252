import { expect, it } from 'vitest';
import { serviceRoute } from '../gateway/routing-table.ts';
import { loadStackText } from '../stack/load.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { trafficPolicies } from './traffic-policies.ts';

function fieldsOf(...lines: readonly string[]): ServiceFields {
  const block = ['name: agent', 'source: agent', 'command: [node, a.js]', 'version: 1.0.0', ...lines].map((line) => `  ${line}\n`);
  const loaded = loadStackText(`service:\n${block.join('')}`);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message, position }) => `${position?.line} ${message}`).join('\n'));
  return loaded.value.blocks[0]?.fields as unknown as ServiceFields;
}

/** What is wrong, as `line message`. */
function problemsOf(line: string): readonly string[] {
  const loaded = loadStackText(`service:\n  name: a\n  source: a\n  command: [a]\n  version: 1.0.0\n  ${line}\n`);
  return loaded.problems.map(({ position, message, help }) => `${position?.line} ${message} ${help}`);
}

it('says nothing of what a service does not declare', () => {
  expect(trafficPolicies(fieldsOf())).toEqual({});
});

it.each([
  ['limits: {}', { limits: { queue: 128, queueMs: 5_000, priority: 'normal' } }],
  [
    'limits: { concurrency: 64, queue: 256, queue_timeout: 2s, priority: critical }',
    { limits: { concurrency: 64, queue: 256, queueMs: 2_000, priority: 'critical' } },
  ],
  [
    'limits: { rate: [{ requests: 10 }, { by: { header: X-Key }, requests: 5, per: 1m, burst: 20 }, { by: caller, requests: 1 }] }',
    {
      limits: { queue: 128, queueMs: 5_000, priority: 'normal' },
      rateLimits: [
        { key: { by: 'client' }, requests: 10, perMs: 1_000, burst: 10 },
        { key: { by: 'header', name: 'X-Key' }, requests: 5, perMs: 60_000, burst: 20 },
        { key: { by: 'caller' }, requests: 1, perMs: 1_000, burst: 1 },
      ],
    },
  ],
  [
    'cache: { ttl: 30s, methods: [GET], vary: [accept-language] }',
    { cache: { ttlMs: 30_000, methods: ['GET'], vary: ['accept-language'], maxBytes: 64 * 2 ** 20 } },
  ],
  ['outliers: {}', { outliers: { consecutiveFailures: 5, ejectionMs: 10_000, maxEjectedPercent: 50 } }],
  ['slow_start: 1m', { slowStartMs: 60_000 }],
  ['retries: { budget: 0.5 }', { retryBudget: 0.5 }],
])('passes on %s in the units of the routing table', (line, policies) => {
  const made = trafficPolicies(fieldsOf(line));
  expect(made).toEqual(policies);
  expect(serviceRoute.partial().parse(made)).toEqual(policies);
});

it.each([
  ['cache: { ttl: 1s, methods: [POST] }', 'GET or HEAD'],
  ['cache: { ttl: 1s, vary: ["a b"] }', 'name of a header'],
  ['limits: { queue: 5 }', 'without concurrency'],
  ['limits: { queue_timeout: 5s }', 'without concurrency'],
  ['limits: { rate: [{ requests: 0 }] }', 'requests'],
  ['limits: { rate: [{ requests: 1, per: 0s }] }', 'longer than nothing'],
  ['limits: { rate: [{ requests: 1, by: cookie }] }', 'client, caller or'],
  ['retries: { budget: 2 }', 'from 0 to 1'],
])('is refused with the reason at its line: %s', (line, reason) => {
  const [problem, ...others] = problemsOf(line);
  expect(others).toEqual([]);
  expect(problem).toContain(reason);
  expect(problem).toMatch(/^6 /);
});
