import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/effects/clock.ts';
import { until } from '../src/testing/conditions.ts';
import { describeWithDocker, type WithDocker } from '../src/testing/with-docker.ts';
import { anxiousPrompt, createRolloutWorld, usualPrompt, type Behaviour, type RolloutWorld } from './rollout-world.ts';
import { previewProgram, strategies, type StrategyName } from './rollouts/strategies.ts';
import { controlPlane, start } from './sluice.ts';

const delayMs = 20;
/** What is wrong with a candidate, and what is said of it when it is taken back. */
const faults: Readonly<
  Record<string, { readonly behaviour: Omit<Behaviour, 'word'>; readonly prompt?: string; readonly because: RegExp }>
> = {
  'has 5% errors': { behaviour: { errorRate: 0.05 }, because: /errors/ },
  'is twice as slow': { behaviour: { delayMs: 2 * delayMs }, because: /latency/ },
  'decides otherwise': { behaviour: { escalates: 0.4 }, because: /decisions|escalated/ },
  crashes: { behaviour: { broken: 'exits' }, because: /keeps failing|no progress/ },
  'never becomes ready': { behaviour: { broken: 'hangs' }, because: /no progress|not ready|keeps failing/ },
  'only has another prompt': { behaviour: {}, prompt: anxiousPrompt, because: /decisions|escalated/ },
};
const judging = [
  'canary',
  'blue_green with a judged preview',
  'canary beside a fresh baseline',
  'canary with an experiment',
  'auto',
] as const;
const matrix: readonly (readonly [StrategyName, string])[] = [
  ...judging.flatMap((strategy) => Object.keys(faults).map((fault) => [strategy, fault] as const)),
  // Copies are compared by errors and latency; nobody knows what was decided in them.
  ...['has 5% errors', 'is twice as slow', 'crashes', 'never becomes ready'].map((fault) => ['canary after copies', fault] as const),
  // Without an analysis, what a candidate answers is nobody's concern.
  ...(['rolling', 'blue_green'] as const).flatMap((strategy) =>
    ['crashes', 'never becomes ready'].map((fault) => [strategy, fault] as const),
  ),
];
const unmet = new Set<StrategyName>(['blue_green with a judged preview', 'canary after copies']);

/** Releases are folders and instances processes; with Docker, they are images and containers. */
function everyCase(docker?: WithDocker): void {
  const { before: beforeCases, after: afterCases } = docker ?? { before: beforeAll, after: afterAll };
  let place: RolloutWorld;
  const table: string[] = [];
  beforeCases(async () => {
    place = await createRolloutWorld(docker?.engine());
    await place.begin({ word: 'stable', delayMs });
    await writeFile(join(place.world.directory, 'agent', 'preview.js'), previewProgram(place.url()));
    // From now on a part of every release's source, unless that is an image.
    await place.run(0, 'deploy', 'agent');
  });
  afterCases(async () => {
    console.log(['', `With ${docker ? 'containers' : 'processes'}:`, ...table, ''].join('\n'));
    await place.dispose();
  });

  /** Requests the gateway has sent to each release, by its own count. */
  async function sent(): Promise<ReadonlyMap<string, number>> {
    const lines = (await (await controlPlane(place.world)).text('/metrics')).split('\n');
    const counts = new Map<string, number>();
    for (const line of lines) {
      const release = /^sluice_gateway_requests_total\{.*release="([^"@]*)/.exec(line)?.[1];
      if (release !== undefined) counts.set(release, (counts.get(release) ?? 0) + Number(line.split(' ').at(-1)));
    }
    return counts;
  }

  it.each(matrix)(
    '%s: a candidate that %s is taken back by itself',
    async (strategy, fault) => {
      const { behaviour, prompt = usualPrompt, because } = faults[fault] ?? { behaviour: {}, because: /./ };
      const { write, run, wrk, view } = place;
      const { release: before = '' } = await view();
      // Its prompt alone makes `auto` choose a canary.
      const asked = strategy === 'auto' && prompt === usualPrompt ? 'Answer the customer, kindly.' : prompt;
      const isPromptAlone = Object.keys(behaviour).length === 0;
      const word = isPromptAlone ? 'stable' : `${strategy}, one that ${fault}`;
      await write(strategies[strategy].slow, { word, delayMs, ...behaviour }, asked);
      const sentBefore = await sent();
      const load = await wrk();
      const begun = systemClock.monotonic();
      const { stderr } = await run(1, 'deploy', 'agent');
      const took = systemClock.monotonic() - begun;
      const { answered, releases, lost } = await load.stop();
      const others = Object.entries(releases).filter(([release]) => release !== before);
      const exposed = others.reduce((sum, [, users]) => sum + users, 0);
      table.push(
        `${strategy}: one that ${fault}: taken back ${(took / 1_000).toFixed(1)} s after \`deploy\`; ${exposed} of ${answered} users met it`,
      );
      expect([lost, (await view()).release]).toEqual([[], before]);
      expect(stderr).toMatch(because);
      // Sluice counts as those do who were answered; what was under way when wrk ended is in its count alone, as is what a program asks of a preview.
      const counted = Array.from(await sent(), ([release, count]) => (release === before ? 0 : count - (sentBefore.get(release) ?? 0)));
      const difference = counted.reduce((sum, count) => sum + count, 0) - exposed;
      expect([unmet.has(strategy) ? exposed : 0, unmet.has(strategy) || Math.abs(difference) <= 16]).toEqual([0, true]);
    },
    120_000,
  );

  it('canary: a candidate that passes its checks and answers no request is taken back by itself', { timeout: 120_000 }, async () => {
    const { write, run, wrk, view } = place;
    const { release: before } = await view();
    await write(strategies.canary.slow, { word: 'silent', delayMs: 600_000 });
    const load = await wrk();
    const begun = systemClock.monotonic();
    const { stderr } = await run(1, 'deploy', 'agent');
    const took = systemClock.monotonic() - begun;
    expect(stderr).toMatch(/errors|latency/);
    expect((await view()).release).toBe(before);
    const { answered } = await load.stop();
    table.push(`canary: one that answers no request: taken back ${(took / 1_000).toFixed(1)} s after \`deploy\`, of ${answered} users`);
  });

  const choices: readonly (readonly [string, Behaviour, string, string])[] = [
    // What is new in an image nobody sees, so that it is tried with a few.
    [docker ? 'canary' : 'rolling', { word: 'stable', delayMs: delayMs + 0.5 }, usualPrompt, ''],
    ['rolling', { word: 'stable', delayMs }, usualPrompt, '  env: { LEVEL: debug }\n'],
    ['canary', { word: 'stable', delayMs }, 'Answer the customer in a friendly way.', ''],
    ['blue_green', { word: 'stable', delayMs, version: '2.0.0' }, usualPrompt, ''],
  ];
  const forward: readonly (readonly [StrategyName, string, Behaviour, string, string])[] = [
    ...(Object.keys(strategies) as StrategyName[])
      .filter((strategy) => strategy !== 'auto')
      .map((strategy) => [strategy, 'declared', { word: `sound, ${strategy}`, delayMs }, usualPrompt, ''] as const),
    ...choices.map(([way, behaviour, prompt, more]) => ['auto' as const, way, behaviour, prompt, more] as const),
  ];
  it.each(forward)(
    '%s (%s): a sound candidate comes into use, and the one before returns, without a lost request',
    async (strategy, way, behaviour, prompt, more) => {
      const { write, run, wrk, view } = place;
      const { release: before = '' } = await view();
      const declared: { readonly slow: string; readonly quick?: string } = strategies[strategy];
      await write(declared.quick ?? declared.slow, behaviour, prompt, more);
      const load = await wrk();
      const begun = systemClock.monotonic();
      await run(0, 'deploy', 'agent');
      const there = systemClock.monotonic();
      const { release: after = '' } = await view();
      expect(after).not.toBe(before);
      const [latest] = JSON.parse((await run(0, 'rollout', 'history', 'agent', '--json')).stdout) as {
        strategy: string;
        because?: string;
      }[];
      const chose = way === 'declared' || (latest?.strategy === way && latest.because?.includes(`: ${way}`) === true);
      expect([chose, latest]).toEqual([true, latest]);
      const turned = systemClock.monotonic();
      await run(0, 'rollout', 'rollback', 'agent');
      await until('the return', async () => {
        const { release, rollout } = await view();
        return release === before && rollout === undefined;
      });
      const back = systemClock.monotonic();
      const { answered, releases, lost } = await load.stop();
      const name = way === 'declared' ? strategy : `${strategy}, which chose ${way}`;
      const [there_s, back_s] = [there - begun, back - turned].map((ms) => (ms / 1_000).toFixed(1));
      table.push(
        `${name}: forward in ${there_s} s and back in ${back_s} s; ${lost.length} of ${answered} requests lost, ${releases[after] ?? 0} answered by it`,
      );
      expect(lost).toEqual([]);
      expect(releases[after]).toBeGreaterThan(0);
    },
    120_000,
  );

  it('canary: a release that comes during a rollout supersedes the candidate; stable is untouched', async () => {
    const { write, run, wrk, view, reaches } = place;
    const byHand = strategies.canary.slow.replace('for: 90s', 'approval: true');
    const { release: before } = await view();
    const load = await wrk();
    await write(byHand, { word: 'older', delayMs });
    const first = start(place.world, 'apply', '--yes');
    const left = once(first, 'close');
    const older = (await reaches(20)).rollout?.release;
    first.kill('SIGINT');
    expect(await left).toEqual([130, null]);
    expect((await reaches(20)).rollout?.release).toBe(older);
    await write(byHand, { word: 'newer', delayMs });
    const second = run(0, 'deploy', 'agent');
    await until('the newer one', async () => (await view()).rollout?.release !== older);
    expect((await reaches(20)).rollout).toMatchObject({ from: before });
    expect((await view()).weights.find(({ release }) => release === older)?.percent ?? 0).toBe(0);
    await run(0, 'rollout', 'promote', 'agent', '--full');
    await second;
    expect((await load.stop()).lost).toEqual([]);
  }, 120_000);

  it('canary by hand: what is aborted serves nobody, what is promoted step by step comes into use', { timeout: 120_000 }, async () => {
    const { write, run, wrk, view, reaches } = place;
    const byHand = '{ strategy: canary, steps: [{ weight: 20, approval: true }, { weight: 50, approval: true }] }';
    const { release: before = '' } = await view();
    const load = await wrk();
    await write(byHand, { word: 'by hand', delayMs });
    const first = run(1, 'deploy', 'agent');
    const candidate = (await reaches(20)).rollout?.release ?? '';
    await run(0, 'rollout', 'abort', 'agent', '--reason', 'not today');
    expect((await first).stderr).toContain('not today');
    const { release, weights } = await view();
    expect([release, weights.filter(({ percent }) => percent > 0)]).toMatchObject([before, [{ release: before, percent: 100 }]]);
    await run(0, 'rollout', 'retry', 'agent');
    await reaches(20);
    await run(0, 'rollout', 'promote', 'agent', '--from', '1');
    await reaches(50);
    await run(0, 'rollout', 'promote', 'agent', '--from', '2');
    await until('it is in use', async () => {
      const seen = await view();
      return seen.release === candidate && seen.rollout === undefined;
    });
    expect((await load.stop()).lost).toEqual([]);
  });
}

// The long matrix, by `npm run prove:rollouts`, under the load of wrk; the short one is rollouts.test.ts.
const isProving = process.env['SLUICE_PROVE'] === 'rollouts';
describe.runIf(isProving)('every strategy with every kind of candidate, as processes, under load', () => {
  everyCase();
});
if (isProving) describeWithDocker('every strategy with every kind of candidate, as containers, under load', everyCase);
