import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Load, type Scale, type ScaleMemory } from './decide.ts';

const lookMs = 2_000;
const minute = 60_000;

/**
 * A service as queueing theory has it (M/M/1 at each instance): so many requests a second arrive, an instance answers `rate` of them, and
 * answers slow down without bound as it comes near to that. New instances take ten seconds until they are ready.
 */
function play(scale: Scale, arrivals: (time: number) => number, { rate = 20, start = 1, until = 60 * minute } = {}) {
  let replicas = start;
  let ready = start;
  let readyAt = 0;
  let queued = 0;
  let memory: ScaleMemory | undefined;
  const history: { at: number; replicas: number; why: string; p95: number }[] = [];
  let p95 = 0;
  for (let now = 0; now <= until; now += lookMs) {
    if (now >= readyAt) ready = replicas;
    const offered = arrivals(now);
    const used = offered / (ready * rate);
    queued = Math.max(0, queued + ((offered - ready * rate) * lookMs) / 1_000);
    p95 = used >= 0.99 || queued > 0 ? 60_000 : (3_000 / rate) * (1 / (1 - used));
    const running = used >= 0.99 ? ready * 100 : (ready * used) / (1 - used);
    const release = { ready, running, perSecond: Math.min(offered, ready * rate), ...(offered > 0 && { p95 }) };
    const load: Load = { replicas, isRollingOut: false, release: 'r-1', releases: [release], queued };
    const decided = decide(scale, load, memory, now);
    memory = decided.memory;
    if (decided.replicas > replicas) readyAt = now + 10_000;
    if (decided.why !== undefined) history.push({ at: now, replicas: decided.replicas, why: decided.why, p95 });
    replicas = decided.replicas;
    ready = Math.min(ready, replicas);
  }
  return { replicas, history, p95, queued };
}

/** Sixty requests a second for so many instances. */
const at = (replicas: number, p95: number, release = 'r-1'): Load => ({
  replicas,
  isRollingOut: false,
  release,
  releases: [{ ready: replicas, running: 6, perSecond: 60, p95 }],
  queued: 0,
});

describe('the number of instances by load', () => {
  it.each([
    ['latency', { min: 1, max: 12, latencyMs: 400 }],
    ['running requests', { min: 1, max: 12, concurrency: 2 }],
    ['waiting requests', { min: 1, max: 12, queueDepth: 5 }],
    ['latency and waiting requests', { min: 1, max: 12, latencyMs: 400, queueDepth: 10 }],
  ])('comes to rest under any constant load that can be carried, with its target met: %s', (_, scale) => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 150, noNaN: true }), fc.integer({ min: 1, max: 12 }), (load, start) => {
        const { history, p95, queued } = play(scale, () => load, { start });
        expect(history.filter(({ at }) => at > 40 * minute)).toEqual([]);
        expect(queued).toBe(0);
        expect('latencyMs' in scale ? p95 : 0).toBeLessThanOrEqual(1.1 * 400);
      }),
      { numRuns: 40 },
    );
  });

  it('never leaves its bounds, whatever happens', () => {
    const load = fc.record({
      replicas: fc.integer({ min: 0, max: 20 }),
      isRollingOut: fc.boolean(),
      release: fc.constantFrom('r-1', 'r-2'),
      releases: fc.array(
        fc.record({ ready: fc.nat(9), running: fc.nat(1_000), perSecond: fc.nat(1_000), p95: fc.option(fc.nat(1e6), { nil: undefined }) }),
        {
          maxLength: 3,
        },
      ),
      queued: fc.nat(1e6),
    });
    fc.assert(
      fc.property(fc.array(load, { minLength: 1, maxLength: 20 }), (loads) => {
        let memory: ScaleMemory | undefined;
        for (const [index, each] of loads.entries()) {
          const decided = decide({ min: 2, max: 5, latencyMs: 100, concurrency: 3 }, each, memory, index * minute);
          memory = decided.memory;
          const isWithin = decided.replicas >= 2 && decided.replicas <= 5;
          expect(isWithin).toBe(true);
        }
      }),
    );
  });

  it('follows a rush up within two minutes and down again afterwards, one at a time', () => {
    const rush = (time: number): number => (time > 5 * minute && time < 25 * minute ? 120 : 10);
    const { history, replicas } = play({ min: 1, max: 10, latencyMs: 400, queueDepth: 5 }, rush, { until: 90 * minute });
    const up = history.filter(({ at }) => at < 25 * minute);
    expect(Math.max(...up.map((change) => change.replicas))).toBeGreaterThanOrEqual(7);
    expect(up.find((change) => change.replicas >= 7)?.at).toBeLessThan(7 * minute);
    expect(up[0]?.why).toMatch(/^latency p95 \d+ ms over 400 ms$/);
    const down = history.filter(({ at }) => at >= 25 * minute).map((change) => change.replicas);
    expect(down.every((count, index) => index === 0 || count === (down[index - 1] ?? 0) - 1)).toBe(true);
    expect(replicas).toBeLessThanOrEqual(2);
  });

  it('sees a candidate that is overloaded beside a stable release that is not, and takes nothing away during a rollout', () => {
    const scale = { min: 1, max: 8, concurrency: 4 };
    const load: Load = {
      replicas: 4,
      isRollingOut: true,
      release: 'r-1',
      releases: [
        { ready: 4, running: 2, perSecond: 20 },
        { ready: 1, running: 8, perSecond: 5 },
      ],
      queued: 0,
    };
    expect(decide(scale, load, undefined, 0)).toMatchObject({ replicas: 8, why: '8 running per instance over 4' });
    const quiet = { ...load, releases: [{ ready: 4, running: 0, perSecond: 0 }] };
    const first = decide(scale, quiet, undefined, 0);
    expect(decide(scale, quiet, first.memory, 5 * minute).replicas).toBe(4);
    expect(decide(scale, { ...quiet, isRollingOut: false }, first.memory, 5 * minute).replicas).toBe(3);
  });

  it('tries a smaller number again only with another release', () => {
    const scale = { min: 1, max: 8, latencyMs: 100 };
    const missed = decide(scale, at(2, 150), undefined, 0);
    expect(missed.replicas).toBe(3);
    const settled = decide(scale, at(3, 20), missed.memory, minute);
    expect(decide(scale, at(3, 20), settled.memory, 10 * minute).replicas).toBe(3);
    const other = decide(scale, at(3, 20, 'r-2'), settled.memory, 11 * minute);
    expect(decide(scale, at(3, 20, 'r-2'), other.memory, 20 * minute).replicas).toBe(2);
  });
});
