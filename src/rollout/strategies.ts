import { rolling } from './rolling.ts';
import { staged } from './staged.ts';
import type { ServiceState } from './service-state.ts';
import type { Strategy } from './strategy.ts';
import { windDown } from './wind-down.ts';

/** Every strategy that can be applied, by its name in the language. A strategy that is not here is refused at plan time. */
export const strategies: Readonly<Record<string, Strategy>> = { rolling, canary: staged, blue_green: staged };

/** The next step of a service, by what it is doing. */
export function strategyFor(state: ServiceState): Strategy {
  if (state.mode !== 'running') return windDown;
  return strategies[state.settings.rollout.strategy] ?? rolling;
}
