import { expect, it } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import type { Deployment } from './action.ts';
import { play, type Step } from './script.ts';

/* Stories that random ones were reduced to: each had broken an invariant. */

const first: Step = { action: { type: 'deploy', release: 'one', replicas: 2, maxSurge: 1 }, pause: 20_000 };
const deployed = (deployment: Omit<Deployment, 'maxSurge'>, pause: number): Step => ({
  action: { type: 'deploy', maxSurge: 1, ...deployment },
  pause,
});

async function told(steps: readonly Step[]): Promise<{ readonly violations: readonly string[]; readonly end: unknown }> {
  const { violations, end } = await play(steps, createMemoryStore(), { perSecond: 100 });
  return { violations, end };
}

it('what is scaled to nothing goes no stage further, and a smoke check that nobody answered has not passed', async () => {
  const smoke = { path: '/smoke', timeoutMs: 100 };
  const rollout = { fullSet: true, smoke, stages: [{ weight: 0, forMs: 0, approval: false }] };
  const steps: Step[] = [
    first,
    deployed({ release: 'unsound', replicas: 2, strategy: 'blue_green', rollout }, 30),
    { action: { type: 'scale', replicas: 0 }, pause: 20_000 },
    { action: { type: 'scale', replicas: 2 }, pause: 20_000 },
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'one', failed: 'unsound' } });
});

it('a smoke check that is declared in the midst of a rollout is made', async () => {
  const stages = [{ weight: 50, forMs: 5_000, approval: false }];
  const steps: Step[] = [
    first,
    deployed({ release: 'unsound', replicas: 2, strategy: 'canary', rollout: { stages } }, 3_000),
    deployed(
      { release: 'unsound', replicas: 2, strategy: 'blue_green', rollout: { fullSet: true, smoke: { path: '/smoke', timeoutMs: 100 } } },
      0,
    ),
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'one', failed: 'unsound' } });
});

it('a share that is declared to be smaller is in force once it is sent', async () => {
  const steps: Step[] = [
    first,
    deployed(
      { release: 'two', replicas: 2, strategy: 'canary', rollout: { stages: [{ weight: 50, forMs: 5_000, approval: false }] } },
      3_000,
    ),
    deployed(
      {
        release: 'two',
        replicas: 2,
        strategy: 'blue_green',
        rollout: { fullSet: true, stages: [{ weight: 0, forMs: 1_000, approval: false }], previewHost: 'preview.example' },
      },
      0,
    ),
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'two' } });
});

it('a rollout waits while it is scaled to nothing, and goes on with its full time', async () => {
  const steps: Step[] = [
    first,
    deployed({ release: 'two', replicas: 2, strategy: 'canary' }, 300),
    { action: { type: 'scale', replicas: 0 }, pause: 30_000 },
    { action: { type: 'scale', replicas: 2 }, pause: 20_000 },
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'two' } });
  expect(await told(steps.slice(0, 3))).toMatchObject({ violations: [], end: { stable: 'one', candidate: 'two' } });
});

it('a clock that is set back holds nothing up for longer than it would have lasted', async () => {
  const back: Step = { action: { type: 'jump_clock', byMs: -3_600_000 }, pause: 30_000 };
  const killed: Step = { action: { type: 'kill_instance', index: 0 }, pause: 100 };
  expect(await told([first, killed, back])).toMatchObject({
    violations: [],
    end: { stable: 'one', instances: ['one ready', 'one ready'] },
  });
  expect(await told([first, deployed({ release: 'two', replicas: 2, strategy: 'canary' }, 1_500), back])).toMatchObject({
    violations: [],
    end: { stable: 'two' },
  });
});

it('a clock that is set forward shortens no stage, and cuts off nothing that drains', async () => {
  const forward: Step = { action: { type: 'jump_clock', byMs: 3_600_000 }, pause: 30_000 };
  const stages = [{ weight: 50, forMs: 8_000, approval: false }];
  const rules = { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 1 };
  const analysis = { rules, latencyTolerance: 1, noData: 'continue' } as const;
  const going = deployed({ release: 'three', replicas: 2, strategy: 'canary', rollout: { stages, analysis } }, 3_000);
  expect(await told([first, going, forward])).toMatchObject({ violations: [], end: { stable: 'three' } });
  expect(await told([first, { action: { type: 'suspend' }, pause: 30 }, forward])).toMatchObject({
    violations: [],
    end: { mode: 'suspended' },
  });
});

it('outcomes of a flag are never counted with another chance than users were drawn with', async () => {
  const roll: Step = {
    action: { type: 'roll_flag', variant: 'on', steps: [10, 50], stepMs: 1_000, minUnits: 1, latency: false },
    pause: 40_000,
  };
  expect((await told([first, roll])).violations).toEqual([]);
});

it('a return whose answer was lost is not done once more when it is sent again after somebody has deployed', async () => {
  const back: Step['action'] = { type: 'operate', action: { type: 'rollback', to: 'one' }, key: 'key-1' };
  const second = deployed({ release: 'two', replicas: 2, strategy: 'rolling' }, 20_000);
  const third = deployed({ release: 'three', replicas: 2, strategy: 'rolling' }, 0);
  const again: Step = { action: back, pause: 30_000 };
  for (const moment of ['after', 'late'] as const) {
    const lost: Step = { action: back, pause: 700, crash: { effect: 1, moment } };
    const { violations, end, seen } = await play([first, second, lost, third, again], createMemoryStore());
    expect([violations, seen.includes('pressed: again under a key whose answer was lost')]).toEqual([[], true]);
    expect(end).toMatchObject({ stable: 'three' });
  }
  const unsent: Step = { action: back, pause: 700, crash: { effect: 1, moment: 'before' } };
  expect(await told([first, second, third, unsent])).toMatchObject({ violations: [], end: { stable: 'one' } });
});

it('nothing is counted for a flag whose rollout ended when the store was failing', async () => {
  const roll: Step = {
    action: { type: 'roll_flag', variant: 'on', steps: [10], stepMs: 20_000, minUnits: 1, latency: false },
    pause: 5_000,
  };
  const stop: Step = { action: { type: 'stop_flag' }, pause: 5_000, crash: { effect: 1, moment: 'after' } };
  expect((await told([first, roll, stop])).violations).toEqual([]);
});

it('a rollout by stages that is superseded leaves its candidate no more of the requests while the next one is rolled', async () => {
  const stages = [{ weight: 1, forMs: 8_000, approval: false }];
  const steps: Step[] = [
    deployed({ release: 'two', replicas: 1 }, 20_000),
    deployed({ release: 'erring', replicas: 4, strategy: 'canary', rollout: { stages } }, 700),
    deployed({ release: 'one', replicas: 4, strategy: 'rolling' }, 20_000),
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'one' } });
});

it('what an instance had under way when it was killed is not under way in the one that takes its place', async () => {
  const steps: Step[] = [
    deployed({ release: 'two', replicas: 1 }, 20_000),
    { action: { type: 'kill_instance', index: 0 }, pause: 900 },
    {
      ...deployed({ release: 'shifted', replicas: 1, strategy: 'blue_green', rollout: {} }, 700),
      crash: { effect: 9, moment: 'before' },
    },
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'shifted' } });
});

it('a candidate that is left behind gets no more while two applies come at once', async () => {
  const stages = [{ weight: 1, forMs: 8_000, approval: false }];
  const both: Step = {
    action: {
      type: 'deploy_both',
      deployments: [
        { release: 'two', replicas: 1, maxSurge: 2, strategy: 'rolling', rollout: {}, scaling: { min: 1, max: 4, latencyMs: 500 } },
        {
          release: 'shifted',
          replicas: 3,
          maxSurge: 1,
          strategy: 'canary',
          rollout: { stages: [{ weight: 1, forMs: 0, approval: false }] },
        },
      ],
    },
    pause: 0,
  };
  const steps = [
    deployed({ release: 'two', replicas: 1 }, 20_000),
    deployed({ release: 'erring', replicas: 4, maxUnavailable: 0, strategy: 'canary', rollout: { stages } }, 700),
    both,
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'shifted' } });
});

it('a candidate that was left behind goes on answering until the gateway knows that stable is back', async () => {
  const stages = [{ weight: 50, forMs: 8_000, approval: false }];
  const steps: Step[] = [
    deployed({ release: 'two', replicas: 1 }, 20_000),
    deployed({ release: 'dying', replicas: 1, strategy: 'canary', rollout: { stages } }, 0),
    { action: { type: 'kill_instance', index: 0 }, pause: 700 },
    deployed({ release: 'two', replicas: 2, maxUnavailable: 1, strategy: 'rolling' }, 20_000),
  ];
  expect(await told(steps)).toMatchObject({ violations: [], end: { stable: 'two' } });
});
