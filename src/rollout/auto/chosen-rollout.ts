import type { ReleaseChange } from '../../release/difference/release-change.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import { rolloutSettings } from '../rollout-settings.ts';
import { type ChosenWay, revisionOf, type RolloutSettings, type ServiceState } from '../service-state.ts';
import { choiceInWords } from './choice-in-words.ts';
import { chooseStrategy, type RolloutCase, type StrategyChoice } from './choose-strategy.ts';
import { explicitRollout } from './explicit-rollout.ts';

/** What a rollout is chosen by. */
export interface RolloutOccasion {
  readonly declared: ServiceFields['rollout'];
  readonly replicas: number;
  /** Id of the release that is to come into use. */
  readonly release: string;
  /** Undefined for a service that is not there yet. */
  readonly state: ServiceState | undefined;
  /** What is different from the stable release; undefined where there is none, or it is not on record. */
  readonly change: ReleaseChange | undefined;
}

/**
 * The settings of a rollout, complete, whatever is declared. Pure. With `auto`, one that is under way keeps the way that was chosen when it
 * began; what is declared beside `auto` may still change on it.
 */
export function chosenRollout(occasion: RolloutOccasion): RolloutSettings {
  const { declared } = occasion;
  if (declared.strategy !== 'auto') return rolloutSettings(declared);
  const kept = wayUnderWay(occasion);
  if (kept) {
    const { chosen, strategy } = kept;
    return { ...rolloutSettings(explicitRollout(declared, { strategy, pace: chosen.pace })), chosen };
  }
  const choice = chooseStrategy(caseOf(occasion));
  const explicit = explicitRollout(declared, choice);
  return { ...rolloutSettings(explicit), chosen: { pace: choice.pace, because: choiceInWords(choice, explicit, declared) } };
}

function wayUnderWay({ state, release }: RolloutOccasion): { chosen: ChosenWay; strategy: StrategyChoice['strategy'] } | undefined {
  // One that was taken back would go the same way again: it must be known as the same to be refused.
  const generation = state?.candidate?.generation ?? state?.failure?.generation;
  if (!state || generation === undefined || revisionOf(state, generation)?.release !== release) return undefined;
  const { chosen, strategy } = state.settings.rollout;
  if (!chosen || revisionOf(state, state.stable)?.release === release) return undefined;
  return strategy === 'rolling' || strategy === 'canary' || strategy === 'blue_green' ? { chosen, strategy } : undefined;
}

function caseOf({ state, release, change, replicas }: RolloutOccasion): RolloutCase {
  const stable = state && revisionOf(state, state.stable)?.release;
  if (stable === undefined) return { kind: 'first' };
  const supersedesStages = state?.candidate?.course !== undefined;
  if (stable === release) return { kind: 'same', supersedesStages };
  if (!change) return { kind: 'unknown' };
  const isReturn = state?.history?.some((content) => content.release === release) ?? false;
  return { kind: 'change', change, isReturn, supersedesStages, replicas };
}
