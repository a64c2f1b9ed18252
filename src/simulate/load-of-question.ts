import { withinScale } from '../rollout/desired-state.ts';
import type { ScalingSettings } from '../rollout/service-state.ts';
import { latencyAt, ordinaryAnswers } from '../rollout/simulation/answers.ts';
import type { Question } from './question.ts';

/** Part of what they can carry that the instances get, where nobody says what one can carry; and of its target that latency is at rest. */
const usedAtFirst = 0.6;

/**
 * What an instance carries and how fast it is, where that is not said: scaling that is declared should be at rest with the traffic that is
 * asked about, so that what it does is done for the candidate's sake. Without scaling and without a capacity no load is too much.
 */
export function loadOn(
  scaling: ScalingSettings | undefined,
  asked: {
    readonly replicas: number;
    readonly perSecond: number;
    readonly baselineMs: number | undefined;
    readonly capacity: number | undefined;
  },
): Pick<Question, 'baselineMs' | 'capacity'> {
  const first = Math.max(1, scaling ? withinScale(asked.replicas, { scaling }) : asked.replicas);
  const target = scaling?.latencyMs;
  const restful =
    target === undefined
      ? ordinaryAnswers.medianMs
      : (usedAtFirst * target) / (latencyAt(ordinaryAnswers, 0.95) / ordinaryAnswers.medianMs);
  const sufficient = scaling ? Number((asked.perSecond / first / usedAtFirst).toPrecision(3)) : undefined;
  const capacity = asked.capacity ?? sufficient;
  return { baselineMs: asked.baselineMs ?? restful, ...(capacity !== undefined && { capacity }) };
}
