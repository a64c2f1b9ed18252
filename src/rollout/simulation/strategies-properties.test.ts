import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import type { Action } from './action.ts';
import { play, type Step } from './script.ts';

/** Few enough for every day; a night can take thousands. */
const numRuns = Number(process.env['SLUICE_SIMULATION_RUNS'] ?? 30);

const strategy = fc.constantFrom('rolling' as const, 'canary' as const, 'blue_green' as const, 'compared' as const, 'experiment' as const);
const release = fc.constantFrom('one' as const, 'two' as const, 'slow' as const, 'silent' as const, 'crashing' as const);
const deploy: fc.Arbitrary<Action> = fc.record({
  type: fc.constant('deploy' as const),
  release,
  replicas: fc.integer({ min: 1, max: 4 }),
  maxSurge: fc.integer({ min: 1, max: 2 }),
  strategy,
});
const scale: fc.Arbitrary<Action> = fc.record({ type: fc.constant('scale' as const), replicas: fc.integer({ min: 1, max: 4 }) });
const button: fc.Arbitrary<Action> = fc.record({
  type: fc.constant('operate' as const),
  action: fc.constantFrom(
    { type: 'pause' as const },
    { type: 'resume' as const },
    { type: 'abort' as const },
    { type: 'retry' as const },
    { type: 'promote' as const, full: false },
    { type: 'promote' as const, full: true },
    { type: 'promote' as const, full: false, arm: 'warm' },
    { type: 'rollback' as const },
  ),
});
const pause = fc.constantFrom(0, 30, 700, 2_500, 20_000);
const crash = fc.record({ effect: fc.integer({ min: 1, max: 25 }), moment: fc.constantFrom('before' as const, 'after' as const) });
const first: Step = { action: { type: 'deploy', release: 'one', replicas: 2, maxSurge: 1 }, pause: 20_000 };
const script = (action: fc.Arbitrary<Action>): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ action, pause, crash: fc.option(crash, { nil: undefined }) }, { requiredKeys: ['action', 'pause'] }), {
    minLength: 1,
    maxLength: 7,
  }) as fc.Arbitrary<Step[]>;

describe('every strategy, with everybody pressing every button at every time', () => {
  it('refuses no request and keeps its invariants while the controller crashes', async () => {
    await fc.assert(
      fc.asyncProperty(script(fc.oneof(deploy, scale, button)), async (steps) => {
        const { violations, refused } = await play([first, ...steps], createMemoryStore());
        expect({ violations, refused }).toEqual({ violations: [], refused: 0 });
      }),
      { numRuns },
    );
  });

  it('takes an aborted candidate away no faster than stable, which has become too small, can do without it', async () => {
    const { violations, refused } = await play(
      [
        first,
        { action: { type: 'deploy', release: 'one', replicas: 4, maxSurge: 1 }, pause: 0 },
        { action: { type: 'operate', action: { type: 'pause' } }, pause: 700 },
        { action: { type: 'deploy', release: 'two', replicas: 4, maxSurge: 1 }, pause: 2_500 },
        { action: { type: 'operate', action: { type: 'rollback' } }, pause: 0 },
      ],
      createMemoryStore(),
    );
    expect({ violations, refused }).toEqual({ violations: [], refused: 0 });
  });
});
