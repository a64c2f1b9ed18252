import { baselineFor } from './baseline.ts';
import { capacityAt, capacityFor, goesByStages, stagesOf } from './course.ts';
import { armCount } from './experiment/arms.ts';
import type { RolloutSettings } from './service-state.ts';

/** Instances beside stable's while a stage lasts. */
interface StageInstances {
  readonly candidate: number;
  /** Fresh ones of stable. */
  readonly baseline: number;
}

interface Planned {
  readonly settings: { readonly rollout: RolloutSettings };
  readonly replicas: number;
}

/** For each stage of a rollout, how many instances run beside the declared ones of stable; empty for one without stages. */
export function extraInstances({ settings: { rollout }, replicas }: Planned): readonly StageInstances[] {
  const service = { settings: { rollout, expose: [], calls: [], drainMs: 0 }, replicas };
  if (!goesByStages(service.settings)) return [];
  const hasBaseline = rollout.baseline === true && rollout.analysis !== undefined;
  return stagesOf(service).map(({ weight, experiment }, index) => {
    const arms = experiment && rollout.experiment ? armCount(rollout.experiment) : 0;
    const candidate = arms > 0 ? arms * capacityFor(weight, service) : capacityAt(service, index);
    return { candidate, baseline: hasBaseline ? baselineFor(weight, candidate) : 0 };
  });
}
