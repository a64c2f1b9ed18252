import type { RolloutForecast } from '../../providers/provider.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import { costInWords, rolloutCost } from '../rollout-cost.ts';
import { rolloutInWords } from '../rollout-in-words.ts';
import { chosenRollout, type RolloutOccasion } from './chosen-rollout.ts';

/** Nothing is beside the instances of a service that comes into use for the first time. */
const noCost: RolloutForecast['cost'] = { extra: { least: 0, most: 0 }, forMs: 0, instanceMinutes: 0, words: 'no instances but its own' };

/** How a new release would be brought into use; undefined where none is new, or a first one comes by the way that is declared. Pure. */
export function forecastRollout(
  { rollout: declared, replicas: fixed, scaling }: Pick<ServiceFields, 'rollout' | 'replicas' | 'scaling'>,
  { state, release, change }: Pick<RolloutOccasion, 'state' | 'release'> & { readonly change?: RolloutOccasion['change'] },
): RolloutForecast | undefined {
  const replicas = scaling ? Math.max(scaling.min, state?.replicas ?? 0) : fixed;
  const isFirst = state?.stable === undefined;
  if (isFirst ? declared.strategy !== 'auto' : change === undefined) return undefined;
  const settings = chosenRollout({ declared, replicas, release, state, change });
  const cost = rolloutCost(settings, replicas);
  return {
    strategy: settings.strategy,
    ...(settings.chosen && { because: settings.chosen.because }),
    way: rolloutInWords(settings),
    cost: isFirst ? noCost : { ...cost, words: costInWords(cost) },
  };
}
