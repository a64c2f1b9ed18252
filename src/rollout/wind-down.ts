import { conclude } from './conclude.ts';
import { advanceInstances, retire } from './instance-lifecycle.ts';
import type { Strategy } from './strategy.ts';

/** The way of a suspended or removed service, whatever its strategy: every instance drains and stops; a removed one then vanishes. */
export const windDown: Strategy = (state, observation, now) => {
  const advanced = advanceInstances(state, observation, now);
  const instances = advanced.state.instances.map((instance) => retire(instance, observation, now));
  const result = conclude({ state: { ...advanced.state, instances }, events: advanced.events }, observation, now);
  const finished = state.mode === 'removed' && instances.length === 0;
  return finished ? { state: result.state, commands: [{ type: 'withdraw' }] } : result;
};
