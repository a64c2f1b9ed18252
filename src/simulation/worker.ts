// Thread that plays the histories it is sent.
import { parentPort } from 'node:worker_threads';
import { playHistories } from './campaign.ts';

parentPort?.on('message', ({ first, count }: { readonly first: number; readonly count: number }) => {
  void playHistories(first, count).then((results) => parentPort?.postMessage(results));
});
