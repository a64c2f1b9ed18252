import type { DriftDesk, RunBook } from '../api/ports.ts';
import type { DriftFinder } from '../engine/drift.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { ReloadablePlans } from './plan-book.ts';

/** Drift as the API offers it: a repair is a plan and a run like any other. */
export function createDriftDesk(dependencies: {
  readonly finder: DriftFinder;
  readonly plans: Pick<ReloadablePlans, 'createRepair'>;
  readonly runs: Pick<RunBook, 'start'>;
}): DriftDesk {
  const { finder, plans, runs } = dependencies;
  return {
    find: (environment) => finder.find(environment),
    accept: (environment) => finder.accept(environment),
    repair: async (environment, order) => {
      const plan = await plans.createRepair(environment);
      if (plan === undefined) throw sluiceError('nothing_drifted', { environment });
      return runs.start(plan.id, order);
    },
  };
}
