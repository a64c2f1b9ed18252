import { hasStages, stageOf } from './course.ts';
import { revisionOf, type ServiceState } from './service-state.ts';

/** An address under which the candidate alone answers. */
export interface Preview {
  readonly host: string;
  readonly path: string;
  readonly release: string;
}

/**
 * Where the candidate is previewed: from when its first instance is ready until it is to get a share, and not a moment longer. Undefined
 * while there is nothing to see or nobody has asked for it.
 */
export function previewOf(state: ServiceState): Preview | undefined {
  const { candidate, settings, mode } = state;
  const host = settings.rollout.previewHost;
  if (host === undefined || !candidate?.course || mode !== 'running' || !hasStages(state)) return undefined;
  const release = revisionOf(state, candidate.generation)?.release;
  const isReady = state.instances.some(({ generation, phase }) => generation === candidate.generation && phase === 'ready');
  const isBefore = candidate.course.weight === 0 && stageOf(state, candidate.course).weight === 0;
  return release !== undefined && isReady && isBefore ? { host, path: '/', release } : undefined;
}
