import type { Allowance } from '../../stack/fields/allowance.ts';
import { goesByStages, hasStages } from '../course.ts';
import { isLive, type Instance, type ServiceState, targetGeneration } from '../service-state.ts';
import { routeOfAgent } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch, World } from './world.ts';

/** 2: while instances are replaced there are no more of them than the surge that was declared allows; a part of them is rounded up. */
export function roomWatch({ check }: Witness): Watch {
  return watching({
    stored(before, after, world) {
      if (!before || !after || after.mode !== 'running' || after.replicas === 0) return;
      // Beside stages, and after them, there may be whole sets.
      if (hasStages(after) || (goesByStages(after.settings) && !after.candidate)) return;
      const isNew = ({ id }: Instance): boolean => !before.instances.some((instance) => instance.id === id);
      const started = after.instances.filter((instance) => isLive(instance) && isNew(instance));
      if (started.length === 0) return;
      const there = after.instances.filter((instance) => isLive(instance) && isCounted(instance, after, world));
      const most = after.replicas + roomOf(after).more;
      check(there.length <= most, `2: ${started.map(({ id }) => id).join()} started beside ${there.length - started.length} of ${most}`);
    },
  });
}

/** So many more, and fewer, than are declared may be there, counted apart from the strategies. */
export function roomOf({ replicas, settings }: Pick<ServiceState, 'replicas' | 'settings'>): {
  readonly more: number;
  readonly fewer: number;
} {
  const { maxSurge, maxUnavailable } = settings.rollout;
  const [above, below] = [hundredths(maxSurge, replicas), hundredths(maxUnavailable, replicas)];
  const more = (above + ((100 - (above % 100)) % 100)) / 100;
  const fewer = (below - (below % 100)) / 100;
  // Otherwise nothing could move.
  return more + fewer > 0 ? { more, fewer } : { more: 0, fewer: 1 };
}

function hundredths(allowed: Allowance, replicas: number): number {
  return typeof allowed === 'number' ? allowed * 100 : Number.parseInt(allowed, 10) * replicas;
}

/** What is only kept, was left behind or gets no requests is in nobody's way. */
function isCounted({ id, generation }: Instance, state: ServiceState, world: World): boolean {
  if (generation === targetGeneration(state) || generation === state.stable) return true;
  if (state.leftBehind?.includes(generation) === true) return false;
  return routeOfAgent(world).some(({ weight, instances }) => weight > 0 && instances.some((instance) => instance.id === id));
}
