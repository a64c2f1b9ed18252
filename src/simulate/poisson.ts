import type { Random } from '../effects/random.ts';

/** Above this mean the number is drawn from the normal distribution, which is then within a percent of it. */
const large = 200;

/** How many events come when `mean` are expected: Knuth's product of uniforms (The Art of Computer Programming, volume 2, 3.4.1). */
export function poisson(random: Random, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > large) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let product = random.next();
  let events = 0;
  while (product > limit) {
    events += 1;
    product *= random.next();
  }
  return events;
}

/** By Box and Muller (1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
