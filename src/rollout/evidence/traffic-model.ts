import type { Random } from '../../effects/random.ts';
import type { Counts } from './judge.ts';
import type { Strata, Stratum } from './strata.ts';

/** How one release behaves in the modelled world. */
export interface Behaviour {
  readonly errorRate: number;
  /** By threshold: chance that a request is slower. */
  readonly slowRates: readonly number[];
  /** Chances of decisions by value; they add up to 1. */
  readonly decisions: Readonly<Record<string, number>>;
}

/** What is counted of `requests` requests at one chance of going to the candidate: drawn, exactly as the gateway would count it. */
export function drawCounts(random: Random, requests: number, chance: number, stable: Behaviour, candidate: Behaviour): Counts {
  const toCandidate = binomial(random, requests, chance);
  const toStable = requests - toCandidate;
  const stratum = (ofStable: number, ofCandidate: number): Stratum => ({
    chance,
    stable: binomial(random, toStable, ofStable),
    candidate: binomial(random, toCandidate, ofCandidate),
  });
  return {
    units: [{ chance, stable: toStable, candidate: toCandidate }],
    errors: [stratum(stable.errorRate, candidate.errorRate)],
    slow: stable.slowRates.map((rate, index) => [stratum(rate, candidate.slowRates[index] ?? rate)]),
    decisions: drawDecisions(random, { chance, stable: toStable, candidate: toCandidate }, stable, candidate),
  };
}

function drawDecisions(random: Random, units: Stratum, stable: Behaviour, candidate: Behaviour): Record<string, Strata> {
  const found: Record<string, Strata> = {};
  const left = { stable: units.stable, candidate: units.candidate };
  const mass = { stable: 1, candidate: 1 };
  for (const value of new Set([...Object.keys(stable.decisions), ...Object.keys(candidate.decisions)])) {
    const take = (side: 'stable' | 'candidate', rate: number): number => {
      const drawn = binomial(random, left[side], mass[side] <= 0 ? 0 : Math.min(1, rate / mass[side]));
      left[side] -= drawn;
      mass[side] -= rate;
      return drawn;
    };
    const ofStable = take('stable', stable.decisions[value] ?? 0);
    const ofCandidate = take('candidate', candidate.decisions[value] ?? 0);
    found[value] = [{ chance: units.chance, stable: ofStable, candidate: ofCandidate }];
  }
  return found;
}

/** How many of `trials` succeed at `rate`: drawn exactly, by the gaps between successes (Devroye 1986, chapter X.4), in time `trials * rate`. */
export function binomial(random: Random, trials: number, rate: number): number {
  if (rate <= 0 || trials <= 0) return 0;
  if (rate > 0.5) return trials - binomial(random, trials, 1 - rate);
  const scale = Math.log1p(-rate);
  let successes = 0;
  let position = 0;
  for (;;) {
    position += Math.floor(Math.log(1 - random.next()) / scale) + 1;
    if (position > trials) return successes;
    successes += 1;
  }
}
