import { type Clock, timestamp } from '../../effects/clock.ts';
import { SluiceError } from '../../errors/sluice-error.ts';
import type { FlagRollouts } from '../../flag-rollouts/flag-rollouts.ts';
import type { FlagDocuments } from '../../flags/flag-documents.ts';
import type { FlagRecord } from '../../flags/flag.ts';
import { cleared, killed, overridden } from '../../flags/overriding.ts';

/** What people do to the flag of the modelled world. */
export type FlagAction =
  | {
      readonly type: 'roll_flag';
      /** `on` answers as `off` does. */
      readonly variant: 'on' | 'worse';
      readonly steps: readonly number[];
      readonly stepMs: number;
      readonly minUnits: number;
      readonly latency: boolean;
      /** Two of three answers to those who are served the variant do not say so: the split looks broken. */
      readonly isHidden?: boolean;
    }
  | { readonly type: 'stop_flag' }
  | { readonly type: 'touch_flag'; readonly how: 'killed' | 'set' | 'cleared' };

export const environment = 'default';
export const flagName = 'tone';
/** How long clients may take to notice a change. */
const noticeMs = 1_500;

const someone = { name: 'somebody' };

/** Resolves with whether it was not refused. */
export async function actOnFlag(
  action: FlagAction,
  { rollouts, documents, clock }: { readonly rollouts: FlagRollouts; readonly documents: FlagDocuments; readonly clock: Clock },
): Promise<boolean> {
  const order = { actor: someone };
  try {
    if (action.type === 'roll_flag') {
      const { variant, steps, stepMs, minUnits, latency } = action;
      const compared = { alpha: 0.05, errorTolerance: 1, ...(latency && { latency: { quantile: 0.95, tolerance: 1.2 } }) };
      const request = { variant, steps, stepMs, minUnits, noticeMs, service: 'agent', attribute: 'user', ...compared };
      await rollouts.start(environment, flagName, request, order);
    } else if (action.type === 'stop_flag') await rollouts.stop(environment, flagName, order);
    else await touch(documents, action.how, timestamp(clock.now()));
    return true;
  } catch (error) {
    const answers = ['unknown_service', 'flag_rollout_running', 'flag_rollout_impossible', 'no_flag_rollout'];
    if (error instanceof SluiceError && answers.includes(error.code)) return false;
    throw error;
  }
}

async function touch(documents: FlagDocuments, how: 'killed' | 'set' | 'cleared', at: string): Promise<void> {
  const hand = { by: someone.name, at };
  const change: Record<typeof how, (record: FlagRecord) => FlagRecord> = {
    killed: (record) => killed(record, hand),
    set: (record) => overridden(record, { variant: 'on', percent: 33 }, hand),
    cleared: (record) => cleared(record, hand),
  };
  await documents.change(environment, flagName, (record) => record && { after: change[how](record), change: { action: how, by: hand.by } });
}
