import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import type { Action } from './action.ts';
import { play, type Step } from './script.ts';

/** Few enough for every day; a night can take thousands. */
const numRuns = Number(process.env['SLUICE_SIMULATION_RUNS'] ?? 30);

const replicas = fc.integer({ min: 1, max: 4 });
const maxSurge = fc.integer({ min: 1, max: 2 });
const working = fc.constantFrom('one' as const, 'two' as const, 'slow' as const);
const broken = fc.constantFrom('silent' as const, 'crashing' as const, 'unstartable' as const);

const deploy = (release: fc.Arbitrary<'one' | 'two' | 'slow' | 'silent' | 'crashing' | 'unstartable'>): fc.Arbitrary<Action> =>
  fc.record({ type: fc.constant('deploy' as const), release, replicas, maxSurge });
const scale: fc.Arbitrary<Action> = fc.record({ type: fc.constant('scale' as const), replicas });
const restart: fc.Arbitrary<Action> = fc.constant({ type: 'restart' });
const pauseAndResume: fc.Arbitrary<Action> = fc.constantFrom({ type: 'suspend' }, { type: 'resume' });
const kill: fc.Arbitrary<Action> = fc.record({ type: fc.constant('kill_instance' as const), index: fc.nat({ max: 5 }) });

// Either far less than anything takes, or longer than everything takes: what a script leads to does not hang on milliseconds.
const pause = fc.constantFrom(0, 30, 20_000);
const crash = fc.record({ effect: fc.integer({ min: 1, max: 25 }), moment: fc.constantFrom('before' as const, 'after' as const) });

const first: Step = { action: { type: 'deploy', release: 'one', replicas: 2, maxSurge: 1 }, pause: 20_000 };
const script = (action: fc.Arbitrary<Action>): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ action, pause, crash: fc.option(crash, { nil: undefined }) }, { requiredKeys: ['action', 'pause'] }), {
    minLength: 1,
    maxLength: 6,
  }) as fc.Arbitrary<Step[]>;

function uncrashed(steps: readonly Step[]): Step[] {
  return steps.map(({ action, pause }) => ({ action, pause }));
}

describe('a rollout in a world with faults', () => {
  it('keeps its invariants and ends where it would have ended had its controller never crashed', async () => {
    const anything = fc.oneof(deploy(working), deploy(broken), scale, restart, pauseAndResume, kill);
    await fc.assert(
      fc.asyncProperty(script(anything), async (steps) => {
        const crashed = await play(steps, createMemoryStore());
        expect(crashed.violations).toEqual([]);
        const calm = await play(uncrashed(steps), createMemoryStore());
        expect(calm.violations).toEqual([]);
        expect(crashed.end).toEqual(calm.end);
      }),
      { numRuns },
    );
  });

  it('refuses no request while releases are replaced, scaled, restarted and given up, and its controller crashes', async () => {
    const anything = fc.oneof(deploy(working), deploy(broken), scale, restart);
    await fc.assert(
      fc.asyncProperty(script(anything), async (steps) => {
        const { violations, refused } = await play([first, ...steps], createMemoryStore());
        expect({ violations, refused }).toEqual({ violations: [], refused: 0 });
      }),
      { numRuns },
    );
  });
});
