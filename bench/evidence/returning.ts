import { ordinaryAnswers } from '../../src/rollout/simulation/answers.ts';
import { type Returning, rollOutAmongReturning } from '../../src/rollout/simulation/returning-users.ts';

/** Of rollouts among people who come again and again, with affinity. */
export interface ReturningRow {
  readonly effect: string;
  readonly rollouts: number;
  /** Shares of rollouts that were taken back, and that were held because the split looked broken. */
  readonly takenBack: number;
  readonly held: number;
  /** Of 120 looks, where it was taken back. */
  readonly medianLook: number | undefined;
}

const among = { users: 1_000, requestsPerLook: 300, looks: 120, steps: [0.05, 0.25, 0.5] };
const effects: readonly { readonly effect: string; readonly candidate?: Returning['candidate']; readonly share: number }[] = [
  { effect: 'no difference (A/A)', share: 1 },
  { effect: 'errors 0.5 % -> 5 %', candidate: () => ({ ...ordinaryAnswers, errorRate: 0.05 }), share: 0.1 },
  {
    effect: 'errors 0.5 % -> 30 % from the middle on',
    candidate: (look) => (look < 60 ? ordinaryAnswers : { ...ordinaryAnswers, errorRate: 0.3 }),
    share: 0.1,
  },
  { effect: 'twice as slow', candidate: () => ({ ...ordinaryAnswers, medianMs: 2 * ordinaryAnswers.medianMs }), share: 0.1 },
];

export function returningRows(rollouts: number, seed: number, progress: (words: string) => void): readonly ReturningRow[] {
  return effects.map(({ effect, candidate, share }) => {
    const count = Math.max(1, Math.round(rollouts * share));
    const found = Array.from({ length: count }, (_, index) => {
      if (index % 50 === 0) progress(`returning users, ${effect}: ${index} of ${count}`);
      return rollOutAmongReturning({ ...among, seed: seed + index, ...(candidate && { candidate }) });
    });
    const looks = found.filter(({ verdict }) => verdict.verdict === 'fail').map(({ look }) => look);
    const middle = looks.toSorted((one, other) => one - other)[Math.floor(looks.length / 2)];
    return {
      effect,
      rollouts: count,
      takenBack: looks.length / count,
      held: found.filter(({ verdict }) => verdict.verdict === 'error').length / count,
      medianLook: middle,
    };
  });
}
