import type { Clock } from '../effects/clock.ts';
import type { ServiceController } from '../rollout/service-controller.ts';
import type { ServiceState } from '../rollout/service-state.ts';
import { decide, type ScaleMemory } from './decide.ts';
import { type CountedLoad, loadOf } from './load.ts';

const lookMs = 2_000;

/** Gives every service that scales by load as many instances as it needs, until the signal is aborted. Never rejects. */
export function createAutoscaler(dependencies: {
  readonly services: Pick<ServiceController, 'states' | 'autoscale'>;
  readonly counts: () => Promise<CountedLoad>;
  readonly clock: Clock;
}) {
  const { services, counts, clock } = dependencies;
  let memories = new Map<string, ScaleMemory>();

  const look = async (): Promise<void> => {
    const scaled = (await services.states()).filter((state) => state.mode === 'running' && state.settings.scaling !== undefined);
    // A gateway that cannot be asked has told nothing: no load is not what was seen.
    const counted = scaled.length === 0 ? undefined : await counts();
    if (counted === undefined) return;
    const kept = new Map<string, ScaleMemory>();
    for (const state of scaled) kept.set(state.address, await lookAt(state, counted));
    memories = kept;
  };

  const lookAt = async (state: ServiceState, counted: CountedLoad): Promise<ScaleMemory> => {
    const { scaling } = state.settings;
    const known = memories.get(state.address);
    const load = loadOf(state, counted);
    const { replicas, why, memory } = decide(scaling ?? { min: 0, max: state.replicas }, load, known, clock.now());
    if (why !== undefined) await services.autoscale(state.address, { from: state.replicas, to: replicas, why });
    return memory;
  };

  return {
    run: async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) {
        await look().catch(() => undefined);
        await clock.sleep(lookMs, signal).catch(() => undefined);
      }
    },
  };
}
