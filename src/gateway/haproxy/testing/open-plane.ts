import { join } from 'node:path';
import { systemClock } from '../../../effects/clock.ts';
import { seededRandom } from '../../../effects/random.ts';
import { defaultLimits, type Limits } from '../../http/limits.ts';
import { silentLog } from '../../log.ts';
import type { ReleaseCounts } from '../../measuring/counts.ts';
import { merge } from '../../measuring/merge.ts';
import { soloCrew } from '../../worker/crew.ts';
import { createServing, type Serving } from '../../worker/serving.ts';
import { createHaproxyPlane, type HaproxyPlane, type HaproxyPlaneDependencies } from '../plane.ts';

export interface OpenPlane extends HaproxyPlane {
  readonly behind: Pick<Serving, 'takeCounts'>;
}

/** HAProxy with the embedded engine of this process behind it. */
export async function openPlane(
  binary: string,
  folder: string,
  limits: Partial<Limits> = {},
  options: Pick<HaproxyPlaneDependencies, 'accessLog' | 'isTraced' | 'threads'> = {},
): Promise<OpenPlane> {
  const clock = systemClock;
  const log = silentLog;
  const behind = createServing({
    folder: join(folder, 'certificates'),
    clock,
    random: seededRandom(1),
    identifiers: seededRandom(2),
    log,
    limits: { ...defaultLimits, ...limits },
    onEjected: () => {},
  });
  return { ...(await createHaproxyPlane({ binary, folder, clock, log, limits, crew: soloCrew(behind), ...options })), behind };
}

/** What both ways have counted. */
export async function releasesOf(plane: OpenPlane): Promise<readonly ReleaseCounts[]> {
  const [own, passedOn] = [await plane.counts(), plane.behind.takeCounts()];
  return merge({ ...own, evidence: [] }, { ...passedOn, evidence: [] }).releases;
}
