// Thread that plays the histories it is sent.
import { parentPort } from 'node:worker_threads';
import { playHistories } from './campaign.ts';

parentPort?.on('message', ({ first, count }: { readonly first: number; readonly count: number }) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void playHistories(first, count).then((results) => parentPort?.postMessage(results));
});
