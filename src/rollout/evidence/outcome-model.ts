import type { Random } from '../../effects/random.ts';
import type { OutcomeStratum } from './experiment.ts';
import { binomial } from './traffic-model.ts';

/** What is counted of so many users with these chances of each release and of the outcome there: drawn, as the gateway would count it. */
export function drawOutcomes(
  random: Random,
  users: number,
  shares: Readonly<Record<string, number>>,
  rates: Readonly<Record<string, number>>,
): OutcomeStratum {
  const units: Record<string, number> = {};
  const events: Record<string, number> = {};
  let [left, chance] = [users, 1];
  for (const [release, share] of Object.entries(shares)) {
    const mine = chance <= share ? left : binomial(random, left, share / chance);
    units[release] = mine;
    events[release] = binomial(random, mine, rates[release] ?? 0);
    left -= mine;
    chance -= share;
  }
  return { shares, units, events };
}
