import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/effects/clock.ts';
import { until } from '../src/testing/conditions.ts';
import { createRolloutWorld, usualPrompt, type Behaviour, type RolloutWorld } from './rollout-world.ts';
import { start } from './sluice.ts';

const analysis = 'analysis: { error_rate: {}, latency: { quantiles: [0.5, 0.95] }, decisions: { attribute: decision }, min_requests: 100 }';
const canary = `{ strategy: canary, affinity: { cookie: session }, progress_deadline: 6s, steps: [{ weight: 20, for: 90s }], ${analysis} }`;
const quick = `{ strategy: canary, affinity: { cookie: session }, steps: [{ weight: 20, for: 3s }, { weight: 50, for: 3s }], ${analysis} }`;
const blueGreen = '{ strategy: blue_green, progress_deadline: 6s, smoke: { path: /healthz } }';
const rolling = '{ strategy: rolling, progress_deadline: 6s }';

// The long matrix, by `npm run prove:rollouts`; the short one is rollouts.test.ts.
describe.runIf(process.env['SLUICE_PROVE'] === 'rollouts')('every strategy with every kind of candidate, under load', () => {
  let place: RolloutWorld;
  beforeAll(async () => {
    place = await createRolloutWorld();
    await place.begin({ word: 'stable', delayMs: 20 });
  }, 60_000);
  afterAll(() => place.dispose());

  const strategies = { rolling, canary, blueGreen };
  const broken: readonly (readonly [keyof typeof strategies, string, Behaviour, RegExp])[] = [
    ['canary', 'is twice as slow', { word: 'slow', delayMs: 40 }, /latency/],
    ['canary', 'has 5% errors', { word: 'faulty', delayMs: 20, errorRate: 0.05 }, /errors/],
    ...(['rolling', 'canary', 'blueGreen'] as const).flatMap((strategy) => [
      [strategy, 'crashes', { word: `crash-${strategy}`, broken: 'exits' }, /keeps failing|no progress/] as const,
      [strategy, 'never becomes ready', { word: `hang-${strategy}`, broken: 'hangs' }, /no progress|not ready|keeps failing/] as const,
    ]),
  ];

  it.each(broken)(
    '%s: a candidate that %s is taken back by itself',
    async (strategy, what, behaviour, because) => {
      const { write, run, load, view } = place;
      const before = (await view()).release;
      await write(strategies[strategy], behaviour, usualPrompt);
      const traffic = load(behaviour.word);
      await until('the load to run', () => traffic.seen.answered > 400);
      const begun = systemClock.monotonic();
      const { stderr } = await run(1, 'deploy', 'agent');
      const took = systemClock.monotonic() - begun;
      const { exposed, answered, lost } = await traffic.stop();
      console.log(
        `${strategy}: one that ${what} was taken back ${(took / 1_000).toFixed(1)} s after \`deploy\`; ${exposed} of ${answered} users met it`,
      );
      expect([lost, (await view()).release]).toEqual([[], before]);
      expect(stderr).toMatch(because);
    },
    120_000,
  );

  it.each([
    ['rolling', rolling],
    ['canary', quick],
    ['blueGreen', blueGreen],
  ])(
    '%s: a sound candidate comes into use, and the one before returns, without a lost request',
    async (strategy, rollout) => {
      const { write, run, load, view } = place;
      const before = (await view()).release;
      await write(rollout, { word: `sound-${strategy}`, delayMs: 20 });
      const traffic = load(`sound-${strategy}`);
      await until('the load to run', () => traffic.seen.answered > 400);
      await run(0, 'deploy', 'agent');
      expect((await view()).release).not.toBe(before);
      await run(0, 'rollout', 'rollback', 'agent');
      await until('the return', async () => (await view()).release === before && (await view()).rollout === undefined);
      const { answered, lost } = await traffic.stop();
      console.log(`${strategy}: forward and back with ${lost.length} of ${answered} requests lost`);
      expect(lost).toEqual([]);
    },
    120_000,
  );

  it('canary: a release that comes during a rollout supersedes the candidate; stable is untouched', async () => {
    const { write, run, load, view, reaches } = place;
    const before = (await view()).release;
    const traffic = load('newer');
    await write(canary.replace('for: 90s', 'approval: true'), { word: 'older', delayMs: 20 });
    const first = start(place.world, 'apply', '--yes');
    const left = once(first, 'close');
    const older = (await reaches(20)).rollout?.release;
    first.kill('SIGINT');
    expect(await left).toEqual([130, null]);
    expect((await reaches(20)).rollout?.release).toBe(older);
    await write(canary.replace('for: 90s', 'approval: true'), { word: 'newer', delayMs: 20 });
    const second = run(0, 'deploy', 'agent');
    await until('the newer one', async () => (await view()).rollout?.release !== older);
    expect((await reaches(20)).rollout).toMatchObject({ from: before });
    expect((await view()).weights.find(({ release }) => release === older)?.percent ?? 0).toBe(0);
    await run(0, 'rollout', 'promote', 'agent', '--full');
    await second;
    expect((await traffic.stop()).lost).toEqual([]);
  }, 120_000);
});
