import { inParallel } from '../../effects/parallel.ts';
import { type Results, together } from './campaign.ts';

/** Seeds that a thread plays at a stretch; always the same, so that the digest of a campaign does not depend on the number of threads. */
const stretch = 250;

export interface Campaign {
  readonly first: number;
  readonly seeds: number;
  readonly threads?: number;
  /** Called as each stretch is done, with everything so far. */
  readonly onProgress?: (soFar: Results) => void;
}

/** Plays `seeds` histories on all processors. */
export async function playCampaign({ first, seeds, threads, onProgress }: Campaign): Promise<Results> {
  const tasks = Array.from({ length: Math.ceil(seeds / stretch) }, (_, index) => ({
    first: first + index * stretch,
    count: Math.min(stretch, seeds - index * stretch),
  }));
  const soFar: Results[] = [];
  const onResult = (part: Results, index: number): void => {
    soFar[index] = part;
    onProgress?.(together(soFar.filter(Boolean)));
  };
  return together(await inParallel({ module: new URL('./worker.ts', import.meta.url), tasks, threads, onResult }));
}
