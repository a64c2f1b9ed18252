import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/effects/clock.ts';
import { seededRandom } from '../src/effects/random.ts';
import { addCounts, noCounts } from '../src/rollout/evidence/counts.ts';
import { judge } from '../src/rollout/evidence/judge.ts';
import { drawCounts } from '../src/rollout/evidence/traffic-model.ts';
import { createRolloutWorld, type RolloutWorld } from './rollout-world.ts';
import { controlPlane } from './sluice.ts';

const perSecond = 80;
const share = 0.2;
const [stableErrors, candidateErrors] = [0.005, 0.05];
const delayMs = 10;
const rollout = '{ strategy: canary, steps: [{ weight: 20, for: 3m }], analysis: { error_rate: {}, min_requests: 100 } }';
const [modelled, real] = [60, 9];

/** Least, middle and most of what was found. */
function spread(found: readonly number[]) {
  const sorted = found.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return { least: at(0.05), median: at(0.5), most: at(0.95) };
}

function words({ median, most }: { readonly median: number; readonly most: number }): string {
  return `${median.toFixed(1)} s, 95 of 100 within ${most.toFixed(1)} s`;
}

const behaviour = (errorRate: number) => ({ errorRate, slowRates: [], decisions: {} });

/** Seconds until the evidence alone speaks, told every second of what was drawn in it. */
function ofEvidence(seed: number): number {
  const random = seededRandom(seed);
  const [stable, candidate] = [behaviour(stableErrors), behaviour(candidateErrors)];
  let counts = noCounts;
  for (let second = 1; second < 600; second += 1) {
    counts = addCounts(counts, drawCounts(random, perSecond, share, stable, candidate));
    if (judge(counts, { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 100 }).verdict === 'fail') return second;
  }
  return 600;
}

/** Requests at their pace, whatever is answered. */
function startPaced(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const begun = systemClock.monotonic();
  let sent = 0;
  const pacing = setInterval(() => {
    for (; sent < ((systemClock.monotonic() - begun) / 1_000) * perSecond; sent += 1) {
      const asked = request(url, { agent, headers: { host: 'agent.localhost' } }, (answer) => answer.resume());
      asked.on('error', () => undefined).end();
    }
  }, 10);
  return () => {
    clearInterval(pacing);
    agent.destroy();
  };
}

// By `npm run prove:simulate`: real rollouts take their time.
describe.runIf(process.env['SLUICE_PROVE'] === 'simulate')('what `sluice simulate` says', () => {
  let place: RolloutWorld;
  let stop: (() => void) | undefined;
  beforeAll(async () => {
    place = await createRolloutWorld();
    await place.begin({ word: 'stable', delayMs, errorRate: stableErrors, replicas: 1 }, '', rollout);
    stop = startPaced(place.url());
  }, 60_000);
  afterAll(async () => {
    stop?.();
    await place.dispose();
  });

  it('of 5 % errors is what the evidence finds, and what real processes behind the real gateway show', { timeout: 900_000 }, async () => {
    const evidence = spread(Array.from({ length: 400 }, (_, seed) => ofEvidence(seed)));
    const line = ['--fault', `error_rate=${candidateErrors}`, '--traffic', `${perSecond}rps`, '--runs', String(modelled), '--json'];
    const { strategies } = JSON.parse((await place.run(0, 'simulate', 'agent', ...line)).stdout) as {
      strategies: [{ faulty: { detectedAfterMs: { p50: number; p95: number } }; example: { timeline: { at: number; what: string }[] } }];
    };
    const [{ faulty, example }] = strategies;
    const begins = (example.timeline.find(({ what }) => what.includes('gets 20 %'))?.at ?? 0) / 1_000;
    const simulated = { median: faulty.detectedAfterMs.p50 / 1_000 - begins, most: faulty.detectedAfterMs.p95 / 1_000 - begins };
    const took: number[] = [];
    for (let run = 0; run < real; run += 1) {
      await place.write(rollout, { word: `bad ${run}`, delayMs, errorRate: candidateErrors, replicas: 1 });
      await place.run(1, 'deploy', 'agent');
      const { items } = (await (await controlPlane(place.world)).get('/v1/events?limit=1000')) as {
        items: { time: string; message: string }[];
      };
      const at = (what: string): number => Date.parse(items.findLast(({ message }) => message.includes(what))?.time ?? '');
      took.push((at('was not taken into use') - at('gets 20 %')) / 1_000);
    }
    const shown = spread(took);
    console.log(
      [
        `5 % errors beside 0.5 %, ${perSecond} requests a second, 20 % to the candidate; from when it has them:`,
        `the evidence alone, looked at every second (400 draws): ${words(evidence)}`,
        `sluice simulate (${modelled} rollouts): ${words(simulated)}`,
        `real processes and the gateway (${real} rollouts): ${took.map((each) => each.toFixed(1)).join(', ')} s; middle ${shown.median.toFixed(1)} s`,
      ].join('\n'),
    );
    // The controller looks once a second, at a moment of its own, at what was answered half a second before.
    expect(Math.abs(simulated.median - evidence.median)).toBeLessThan(0.25 * evidence.median + 2);
    // The middle of nine rollouts is within the middle four fifths of all with a chance of more than 99 in a hundred; a look may come a few seconds late.
    expect(shown.median).toBeGreaterThan(0.4 * evidence.median);
    expect(shown.median).toBeLessThan(2 * evidence.median + 3);
  });
});
