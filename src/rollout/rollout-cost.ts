import { roomToMove } from '../stack/fields/allowance.ts';
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

/** What a rollout takes beside the instances the service has anyway. */
export interface RolloutCost {
  /** Instances more at the least and at the most while it is under way. */
  readonly extra: { readonly least: number; readonly most: number };
  /** How long they are there at least, by what is declared; starting, draining, approvals and a lack of requests come on top. */
  readonly forMs: number;
  /** Extra instances times minutes over that time. */
  readonly instanceMinutes: number;
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

/** The cost of a rollout by its settings. Pure. That of one without stages depends on how soon an instance is ready, so its time is 0. */
export function rolloutCost(rollout: RolloutSettings, replicas: number): RolloutCost {
  const { keepPreviousMs = 0, maxSurge, maxUnavailable } = rollout;
  const service = { settings: { rollout, expose: [], calls: [], drainMs: 0 }, replicas };
  const counts = extraInstances(service).map(({ candidate, baseline }) => candidate + baseline);
  if (counts.length === 0) {
    const extra = Math.min(roomToMove(maxSurge, maxUnavailable, replicas).surge, replicas);
    return { extra: { least: extra, most: extra }, forMs: 0, instanceMinutes: 0 };
  }
  const steps = stagesOf(service).map(({ forMs }, index) => ({ forMs, instances: counts[index] ?? 0 }));
  // After the switch it is the set before that is there beside the service's own.
  const times = [...steps, { forMs: keepPreviousMs, instances: replicas }];
  return {
    extra: { least: Math.min(...counts), most: Math.max(...counts) },
    forMs: times.reduce((sum, { forMs }) => sum + forMs, 0),
    instanceMinutes: Math.round(times.reduce((sum, { forMs, instances }) => sum + (forMs / 60_000) * instances, 0) * 10) / 10,
  };
}

/** `1 to 4 instances more for at least 10m, 17 instance-minutes`. */
export function costInWords({ extra: { least, most }, forMs, instanceMinutes }: RolloutCost): string {
  const count = least === most ? String(most) : `${least} to ${most}`;
  const instances = `${count} ${most === 1 ? 'instance' : 'instances'} more`;
  return forMs === 0 ? `${instances} meanwhile` : `${instances} for at least ${lasting(forMs)}, ${instanceMinutes} instance-minutes`;
}

/** `90s`, `10m`, `1h30m`: as the language writes it, to the second. */
export function lasting(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (milliseconds < 1_000) return `${milliseconds}ms`;
  if (seconds < 120) return `${seconds}s`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60];
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`;
}
