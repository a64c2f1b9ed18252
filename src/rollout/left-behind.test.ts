import { describe, expect, it } from 'vitest';
import { scaled, withDesired } from './desired-state.ts';
import type { RolloutSettings, ServiceState } from './service-state.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import { blueGreen, canary, world } from './testdata/staged-world.ts';

const hook = { name: 'ask', url: 'http://hooks.example/', timeoutMs: 1_000, retries: 0, onFailure: 'hold', when: 'before' } as const;
const rolledTo = (state: ServiceState, release: string): ServiceState =>
  withDesired(state, desiredRelease(release, release, { replicas: state.replicas }), 0);

/** Largest share of a release in all that the gateway was told since. */
function most(told: ReturnType<typeof world>['told'], release: string, since: number): number {
  const routes = told.slice(since).flatMap((command) => (command.type === 'publish' ? [command.route] : []));
  return Math.max(0, ...routes.flatMap(({ backends }) => backends.filter((each) => each.release === release).map(({ weight }) => weight)));
}

describe('a candidate that is superseded before its first request never gets one', () => {
  const ways: Readonly<Record<string, Partial<RolloutSettings>>> = {
    canary: { ...canary, hooks: [hook] },
    blueGreen: { ...blueGreen, hooks: [hook] },
  };
  for (const [name, settings] of Object.entries(ways)) {
    it(`while a control plane that knows no route rolls the next one: ${name}`, () => {
      const { deploy, pass, forget, told, weights, state } = world(settings);
      deploy('r-2');
      pass(1_000);
      expect([weights(), state().candidate?.course?.hooks?.['start/ask']?.status]).toEqual([{ 'r-2': 0, 'r-1': 100 }, 'due']);
      const since = told.length;
      forget((stored) => rolledTo(scaled(stored, 8, 0), 'r-3'));
      expect(most(told, 'r-2', since)).toBe(0);
      pass(60_000);
      expect(weights()).toEqual({ 'r-3': 100 });
    });
  }
});
