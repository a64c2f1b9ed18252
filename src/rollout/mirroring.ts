import type { ServiceRoute } from '../gateway/routing-table.ts';
import type { MirrorSettings } from './course-state.ts';
import { revisionOf, type Instance, type ServiceState, type StageSettings } from './service-state.ts';

/** Methods that change nothing: what is copied without being asked for by name (RFC 9110, 9.2.1, but for TRACE). */
export const safeMethods = ['GET', 'HEAD', 'OPTIONS'];
/** A request with a larger body is not copied: the gateway holds the body until it is whole. */
const bodyBytes = 1_048_576;

/** What the gateway is to copy to the candidate: what its course asks for, as far as its ready instances can carry it. */
export function mirrorOf(state: ServiceState): Pick<ServiceRoute, 'mirror'> {
  const { candidate, replicas } = state;
  const release = revisionOf(state, candidate?.generation)?.release;
  const asked = candidate?.course?.mirror;
  const isReady = ({ generation, phase }: Instance): boolean => generation === candidate?.generation && phase === 'ready';
  const ready = state.instances.filter(isReady).length;
  if (asked === undefined || release === undefined || ready === 0) return {};
  const percent = Math.min(asked.percent, (100 * ready) / Math.max(1, replicas));
  return { mirror: { release, percent, bodyBytes, methods: [...asked.methods] } };
}

/** Whether the same requests are copied. */
export function copiesAlike(one: Partial<MirrorSettings> | undefined, other: Partial<MirrorSettings> | undefined): boolean {
  return one?.percent === other?.percent && one?.methods?.join() === other?.methods?.join();
}

/** `copies of 100 %`, or `5 %` of the requests themselves. */
export function shareInWords({ weight, mirror }: Pick<StageSettings, 'weight' | 'mirror'>): string {
  return mirror === undefined ? `${weight} %` : `copies of ${mirror.percent} %`;
}
