import type { ServiceFields } from '../../stack/kinds/service.ts';
import { fieldsOfOneStrategy, rollout as language } from '../../stack/kinds/service/rollout.ts';
import type { StrategyChoice } from './choose-strategy.ts';

type Declared = ServiceFields['rollout'];

/**
 * Each step gives the candidate more requests than all before it, so that what is found early costs few users. The careful way begins with
 * fewer still, and asks for more requests before it goes on, for what was hard to see in a hundred.
 */
const canaries = {
  usual: { steps: [step(5, '2m'), step(25, '3m'), step(50, '5m')], minRequests: 100 },
  careful: { steps: [step(2, '5m'), step(10, '10m'), step(25, '10m'), step(50, '10m')], minRequests: 300 },
} as const;

/** What nobody could judge beforehand can be left again at once. */
const keepPrevious = '10m';

/**
 * The rollout as if it had been declared with the strategy that was chosen: what is declared beside `auto` is used where it belongs to
 * that strategy, and what it needs and nobody has declared gets its usual value.
 */
export function explicitRollout(declared: Declared, { strategy, pace }: Pick<StrategyChoice, 'strategy' | 'pace'>): Declared {
  const foreign = new Set<string>(unusedFields(declared, strategy));
  const own = Object.fromEntries(Object.entries(declared).filter(([field]) => !foreign.has(field)));
  const { steps, minRequests } = canaries[pace];
  return language.parse({
    ...own,
    strategy,
    ...(strategy === 'canary' && {
      steps: declared.steps ?? steps,
      analysis: declared.analysis ?? { error_rate: {}, latency: {}, min_requests: minRequests },
    }),
    ...(strategy === 'blue_green' && { keep_previous: declared.keep_previous ?? keepPrevious }),
  });
}

/** Fields that are declared for another choice than this one. */
export function unusedFields(declared: Declared, strategy: string): readonly string[] {
  return Object.entries(fieldsOfOneStrategy).flatMap(([field, of]) =>
    of !== strategy && declared[field as keyof typeof fieldsOfOneStrategy] !== undefined ? [field] : [],
  );
}

function step(weight: number, lasts: string) {
  return { weight, for: lasts };
}
