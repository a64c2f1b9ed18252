import { expect, test } from 'vitest';
import { createMeters } from './meters.ts';
import type { Underway } from './meter.ts';
import { drawn, finished, measured } from './testing/finished.ts';

const draw = drawn({ candidate: 0.2, stable: 0.8 });

/** A service whose stable answers in 100 ms; one user in five is the candidate's. */
function rollout() {
  let now = 0;
  let user = 0;
  const meters = createMeters({ clock: { monotonic: () => now } });
  const service = measured(['candidate', 'stable'], { id: 'rollout' });
  meters.follow([service]);
  const begin = (release: string, more: Partial<Underway> = {}) => {
    user += 1;
    const request = {
      startedAt: now,
      firstByteAt: 0,
      isWhole: true,
      place: -1,
      assigned: { probability: 1, by: 'unit' as const, unit: user, draw },
      ...more,
    };
    const meter = meters.meterOf('test', 'app', release);
    meter.begin(request);
    return {
      end: (outcome: Parameters<typeof finished>[0] = {}) =>
        meter.end(finished({ totalMs: now - request.startedAt, by: 'unit', unit: request.assigned.unit, draw, ...outcome }), request),
    };
  };
  /** Errors and units told by release. */
  const told: Record<string, [errors: number, units: number]> = {};
  const take = (isLast = false): typeof told => {
    const { outcomes, draws } = meters.snapshot(isLast).evidence[0] as {
      outcomes: readonly number[];
      draws: readonly { release: string }[];
    };
    for (let at = 0; at < outcomes.length; at += 5) {
      const counts = (told[draws[outcomes[at + 1] as number]?.release as string] ??= [0, 0]);
      counts[0] += (outcomes[at + 3] as number) & 1;
      counts[1] += 1;
    }
    return told;
  };
  return {
    begin,
    take,
    pass: (milliseconds: number): void => void (now += milliseconds),
    /** So many users of stable, one every 100 ms. */
    stable: (users: number): void => {
      for (let each = 0; each < users; each += 1) {
        const { end } = begin('stable');
        now += 100;
        end();
      }
    },
  };
}

test('who is never answered counts as failed, once, and not before an answer could still come', () => {
  const { begin, take, pass, stable } = rollout();
  stable(20);
  const hanging = begin('candidate');
  stable(30);
  // What was drawn later waits for it: counted at once, it would seem that nobody goes to the candidate.
  expect(take()).toEqual({ stable: [0, 20] });
  pass(3_000);
  expect(take()).toEqual({ stable: [0, 50], candidate: [1, 1] });
  hanging.end({ status: 200 });
  pass(60_000);
  expect(take(true)).toEqual({ stable: [0, 50], candidate: [1, 1] });
});

test('who gives up without an answer counts as failed, unless it was sooner than nearly all answers come', () => {
  const { begin, take, pass, stable } = rollout();
  stable(50);
  const [patient, hasty] = [begin('candidate'), begin('candidate')];
  pass(50);
  hasty.end({ ending: 'abandoned', status: 0 });
  pass(1_000);
  patient.end({ ending: 'abandoned', status: 0 });
  pass(1_000);
  expect(take()).toEqual({ stable: [0, 50], candidate: [1, 1] });
});

test('an answer that has begun, and a request that is still being sent, are waited for by nobody', () => {
  const { begin, take, pass, stable } = rollout();
  const [stream, upload] = [begin('candidate', { firstByteAt: 10 }), begin('candidate', { isWhole: false })];
  stable(20);
  pass(30_000);
  expect(take()).toEqual({ stable: [0, 20] });
  for (const each of [stream, upload]) each.end();
  pass(60_000);
  expect(take()).toEqual({ stable: [0, 20], candidate: [0, 2] });
});
