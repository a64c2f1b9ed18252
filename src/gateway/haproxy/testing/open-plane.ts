import { join } from 'node:path';
import { systemClock } from '../../../effects/clock.ts';
import { seededRandom } from '../../../effects/random.ts';
import { defaultLimits, type Limits } from '../../http/limits.ts';
import { silentLog } from '../../log.ts';
import { soloCrew } from '../../worker/crew.ts';
import { createServing } from '../../worker/serving.ts';
import { createHaproxyPlane, type HaproxyPlane } from '../plane.ts';

/** HAProxy with the embedded engine of this process behind it. */
export function openPlane(binary: string, folder: string, limits: Partial<Limits> = {}, threads?: number): Promise<HaproxyPlane> {
  const clock = systemClock;
  const log = silentLog;
  const serving = createServing({
    folder: join(folder, 'certificates'),
    clock,
    random: seededRandom(1),
    identifiers: seededRandom(2),
    log,
    limits: { ...defaultLimits, ...limits },
    onEjected: () => {},
  });
  const parts = { binary, folder, clock, log, limits, crew: soloCrew(serving) };
  return createHaproxyPlane(threads === undefined ? parts : { ...parts, threads });
}
