import type { Random } from '../../effects/random.ts';
import type { Measure } from '../sources/measure.ts';
import type { Measured } from '../sources/source.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Sources of evidence by what they say. */
export const sourceNames = ['passing', 'failing', 'silent', 'erring', 'fickle'] as const;

/** What was measured, by generation of the candidate and source. */
export type MeasuredLog = Map<string, Set<Measured['outcome']>>;

/** Takes a while, and says what the source's name says. */
export function measureBySource(random: Random, log: MeasuredLog) {
  return (clock: VirtualClock): Measure =>
    async ({ candidate }, { name }) => {
      await clock.sleep(200);
      const measured = sayOf(name, random);
      const key = `${candidate?.generation}/${name}`;
      log.set(key, (log.get(key) ?? new Set<Measured['outcome']>()).add(measured.outcome));
      return measured;
    };
}

function sayOf(name: string, random: Random): Measured {
  switch (name) {
    case 'failing':
      return { outcome: 'fail' };
    case 'silent':
      return { outcome: 'no_data', said: 'nothing has happened' };
    case 'erring':
      return { outcome: 'error', said: 'it does not answer' };
    case 'fickle':
      return random.next() < 0.7 ? { outcome: 'pass' } : { outcome: 'error', said: 'it does not answer' };
  }
  return { outcome: 'pass' };
}
