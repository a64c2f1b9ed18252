import { auditActor } from '../api/audited.ts';
import type { FlagRolloutDesk } from '../api/ports.ts';
import type { FlagRolloutView } from '../api/schemas/flag-rollout.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { type FlagRollout, shareOf } from '../flag-rollouts/flag-rollout.ts';
import type { FlagRollouts } from '../flag-rollouts/flag-rollouts.ts';
import { sides } from '../flag-rollouts/step.ts';
import { verdictInWords } from '../rollout/evidence/words.ts';

/** Rollouts of flags as people see and begin them. */
export function createFlagRolloutDesk({ rollouts, clock }: { readonly rollouts: FlagRollouts; readonly clock: Clock }): FlagRolloutDesk {
  const view = (rollout: FlagRollout): FlagRolloutView => viewOf(rollout, clock.now());
  return {
    get: async (environment, flag) => view(await rollouts.get(environment, flag)),
    start: async (environment, flag, request, { actor, reason }) =>
      view(await rollouts.start(environment, flag, request, { actor: auditActor(actor), reason })),
    stop: async (environment, flag, { actor, reason }) =>
      view(await rollouts.stop(environment, flag, { actor: auditActor(actor), reason })),
  };
}

function viewOf(rollout: FlagRollout, now: number): FlagRolloutView {
  const { environment, flag, variant, service, steps, step, startedAt, by, reason, evidence, end } = rollout;
  return {
    environment,
    flag,
    variant,
    service,
    percent: end === undefined ? shareOf(rollout) : end.outcome === 'completed' ? 100 : 0,
    steps,
    step: step + 1,
    startedAt: timestamp(startedAt),
    by,
    ...(reason !== undefined && { reason }),
    waits: waitsFor(rollout, now),
    ...(evidence && { verdict: evidence.verdict.verdict }),
    evidence: evidence ? verdictInWords(evidence.verdict, sides) : [],
    ...(end && { outcome: end.outcome, endedAt: timestamp(end.at) }),
  };
}

function waitsFor({ end, phase, since, noticeMs, stepMs, evidence, rules }: FlagRollout, now: number): string {
  if (end) return `${end.outcome}: ${end.because}`;
  if (phase === 'noticing') return `clients are given ${secondsUntil(since + noticeMs, now)} to notice the change`;
  if (phase === 'closing') return 'the gateway is told to count this step no longer';
  if (evidence?.verdict.verdict === 'error') return `held: ${evidence.verdict.because}`;
  const units = evidence?.verdict.units ?? 0;
  if (now < since + stepMs) return `the step lasts another ${secondsUntil(since + stepMs, now)}`;
  const missing = units === 0 ? ': answers have to say `flag.NAME=VARIANT, flag-key=USER` in x-sluice-attributes (docs/flags.md)' : '';
  return `${units} of ${rules.minUnits} users with the variant have been seen${missing}`;
}

function secondsUntil(time: number, now: number): string {
  return `${Math.max(0, Math.ceil((time - now) / 1_000))} s`;
}
