import { createHash } from 'node:crypto';
import type { ServiceRoute } from '../../src/gateway/routing-table.ts';

/** Of the services in a large table. */
export const environment = 'bench';

/** Two releases with an instance each, both of which are really there, every policy that is kept per service, and a call to its neighbour. */
export function routeOf(index: number, count: number, [a, b]: readonly [number, number], weight: number): ServiceRoute {
  return {
    environment,
    name: `s${index}`,
    expose: [{ host: `s${index}.test`, path: '/' }],
    calls: [`s${(index + 1) % count}`],
    tokenDigests: [createHash('sha256').update(`s${index}`).digest('hex')],
    health: { path: '/', intervalMs: 10_000, timeoutMs: 1_000 },
    backends: [
      { release: 'r2', weight, instances: [{ id: 'b1', host: '127.0.0.1', port: b, state: 'active' }] },
      { release: 'r1', weight: 100 - weight, instances: [{ id: 'a1', host: '127.0.0.1', port: a, state: 'active' }] },
    ],
    split: { salt: `s${index}/1`, affinity: { by: 'cookie', name: 'uid' } },
    limits: { concurrency: 100, queue: 100, queueMs: 1_000, priority: 'normal' },
    rateLimits: [{ key: { by: 'client' }, requests: 1_000, perMs: 1_000, burst: 1_000 }],
  };
}
