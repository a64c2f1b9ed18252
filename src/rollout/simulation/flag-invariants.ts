import { jsonEquals, type Json } from '../../digest/json.ts';
import { countsId, type FlagRollout, shareOf } from '../../flag-rollouts/flag-rollout.ts';
import type { FlagRecord, Override } from '../../flags/flag.ts';
import type { Write } from '../../store/store.ts';
import type { Invariants } from './invariants.ts';
import { agent } from './routed.ts';
import type { Tally } from './tally.ts';
import type { World } from './world.ts';

export interface FlagInvariants {
  /** One transaction has become durable. */
  wrote(writes: readonly Write[], world: World): void;
  /** Outcomes of so many users are counted as drawn with a chance while users are served the variant with a share. */
  counted(id: string, probability: number, share: number, units: number): void;
  /** What is not as it has to be when everything has come to rest. */
  unrest(world: World, isCountedByHand: boolean): readonly string[];
}

/** 4 and 6, of flags: a share grows only by evidence of users and time, what people set stays, and a step and its change of the flag are one. */
export function watchFlags(
  { check, isPeople, see }: Pick<Invariants, 'check' | 'isPeople' | 'see'>,
  tally: Tally,
  users: number,
): FlagInvariants {
  let rollout: FlagRollout | undefined;
  let override: Override | undefined;
  let since = { set: 0, counting: 0, jumps: 0 };

  function checkStep(before: FlagRollout, next: FlagRollout, flag: FlagRecord | undefined, { traffic, clock }: World): void {
    // What is left of one that has ended is only what was counted for it.
    if (next.isSettled) return;
    check(before.end === undefined, `4: the rollout of a flag went on after it was ${before.end?.outcome}`);
    if (next.end?.outcome === 'failed') {
      const isShown = next.evidence?.verdict.findings.some(({ harm, bar }) => harm >= bar) === true;
      check(isShown, '4: a flag was taken back without evidence of harm');
      check(flag !== undefined && isSame(flag.override, next.before), '6: a flag was taken back and does not serve what it did before');
    }
    const isDone = next.end?.outcome === 'completed';
    if (next.step === before.step && !isDone) return;
    check(isDone ? next.step === before.step : next.step === before.step + 1, `4: a flag went from step ${before.step} to ${next.step}`);
    const seen = traffic.compared(agent, countsId(before), 'variant');
    check(seen >= before.rules.minUnits, `4: a flag went on after ${seen} of ${before.rules.minUnits} outcomes`);
    const { verdict } = next.evidence?.verdict ?? {};
    check(verdict !== 'fail' && verdict !== 'error', `4: a flag went on although the verdict was ${verdict}`);
    const lasted = clock.monotonic() - since.counting;
    check(since.jumps !== clock.jumps() || lasted >= before.stepMs, `4: a step of a flag lasted ${lasted} of ${before.stepMs} ms`);
    const isServed = isDone ? flag?.override?.action === 'serve' : isOwn(next, flag?.override);
    check(isServed, '6: a flag went on and does not serve what it should');
  }

  function noteEnd({ end, variant, evidence }: FlagRollout): void {
    if (!end) return;
    see(`flag rollout ${end.outcome}`);
    if (variant !== 'on' || evidence === undefined) return;
    tally.judgedAlike += 1;
    if (end.outcome === 'failed') tally.falseRollbacks += 1;
  }

  return {
    wrote(writes, world) {
      const { clock } = world;
      const flag = valueIn(writes, 'flags') as unknown as FlagRecord | undefined;
      const next = valueIn(writes, 'flag-rollouts') as unknown as FlagRollout | undefined;
      if (flag) {
        const isMine = rollout !== undefined && rollout.end === undefined && isOwn(rollout, override);
        check(isPeople() || isMine, `4: a rollout changed a flag that somebody had set to ${JSON.stringify(override)}`);
        override = flag.override;
        since = { ...since, set: clock.monotonic(), jumps: clock.jumps() };
      }
      if (!next) return;
      if (rollout?.id === next.id && !isPeople()) checkStep(rollout, next, flag, world);
      if (next.end && (rollout?.id !== next.id || !rollout.end)) noteEnd(next);
      if (next.phase === 'counting' && rollout?.phase !== 'counting') {
        const waited = clock.monotonic() - since.set;
        check(since.jumps !== clock.jumps() || waited >= next.noticeMs, `4: a flag is counted ${waited} ms after it was set`);
        since = { ...since, counting: clock.monotonic(), jumps: clock.jumps() };
        see('flag rollout counting');
      }
      if (next.evidence?.verdict.verdict === 'error') see('flag rollout: a split that looks broken');
      if (next.step > 0) see('flag rollout: a later step');
      rollout = next;
    },
    counted(id, probability, share, units) {
      // Whatever somebody else has set is not counted for long.
      if (rollout === undefined || rollout.end || id !== countsId(rollout) || !isOwn(rollout, override)) return;
      check(Math.abs(probability - share) < 1e-9, `4: outcomes are counted with a chance of ${probability} and drawn with ${share}`);
      // Each counts once for each step that could have served it the other one.
      check(units <= users * (rollout.step + 1), `4: ${units} outcomes of ${users} users are counted at step ${rollout.step}`);
    },
    unrest(world, isCountedByHand) {
      const counts = world.latest()?.flagCounts;
      const isOver = rollout === undefined || rollout.end !== undefined;
      return isOver && counts && !isCountedByHand ? [`3: outcomes are counted for ${counts.id}, which is over`] : [];
    },
  };
}

function isOwn(rollout: FlagRollout, override: Override | undefined): boolean {
  return override?.action === 'percent' && override.variant === rollout.variant && override.percent === shareOf(rollout);
}

function isSame(left: Override | undefined, right: Override | undefined): boolean {
  return jsonEquals(left ?? null, right ?? null);
}

function valueIn(writes: readonly Write[], collection: string): Json | undefined {
  const found = writes.find((write) => write.operation === 'put' && write.collection === collection);
  return found?.operation === 'put' ? found.value : undefined;
}
