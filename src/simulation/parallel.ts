import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
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
export async function playCampaign({ first, seeds, threads = availableParallelism(), onProgress }: Campaign): Promise<Results> {
  const stretches = Array.from({ length: Math.ceil(seeds / stretch) }, (_, index) => ({
    first: first + index * stretch,
    count: Math.min(stretch, seeds - index * stretch),
  }));
  const parts: Results[] = [];
  const remaining = stretches.entries();
  const lane = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      for (const [index, part] of remaining) {
        parts[index] = await answerOf(worker, part);
        onProgress?.(together(parts.filter(Boolean)));
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, stretches.length) }, lane));
  return together(parts);
}

function answerOf(worker: Worker, message: object): Promise<Results> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (results: Results) => {
      worker.off('error', reject);
      resolve(results);
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(message);
  });
}
