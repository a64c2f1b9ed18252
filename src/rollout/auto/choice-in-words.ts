import type { ServiceFields } from '../../stack/kinds/service.ts';
import type { StrategyChoice } from './choose-strategy.ts';
import { unusedFields } from './explicit-rollout.ts';

/** `minor version, prompt changed, API unchanged: canary 5, 25, 50`, with the reason where the facts do not speak for themselves. */
export function choiceInWords(choice: StrategyChoice, explicit: ServiceFields['rollout'], declared: ServiceFields['rollout']): string {
  const { strategy, facts, reason } = choice;
  const way = [strategy, explicit.steps?.map(({ weight, mirror }) => weight ?? `copies of ${mirror} %`).join(', ')]
    .filter((part) => part !== undefined)
    .join(' ');
  const unused = unusedFields(declared, strategy);
  const left = unused.length === 0 ? '' : `; ${unused.join(' and ')} ${unused.length === 1 ? 'is' : 'are'} for another way`;
  return `${facts.join(', ')}: ${way}${reason === undefined ? '' : `, because ${reason}`}${left}`;
}
