import { availableParallelism } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';

/**
 * Has every task answered by threads that run `module`, each a task at a time; resolves with the results in the order of the tasks,
 * whichever thread was faster. `onResult` is told each one as it comes. A thread that throws rejects it all. Tasks and results are plain data.
 */
export async function inParallel<Result>(options: {
  readonly module: URL;
  readonly tasks: readonly unknown[];
  readonly threads?: number | undefined;
  readonly onResult?: ((result: Result, index: number) => void) | undefined;
}): Promise<readonly Result[]> {
  const { module, tasks, threads = availableParallelism(), onResult } = options;
  const results: Result[] = [];
  const remaining = tasks.entries();
  const lane = async (): Promise<void> => {
    const worker = new Worker(module);
    try {
      for (const [index, task] of remaining) {
        const result = await answerOf<Result>(worker, task);
        results[index] = result;
        onResult?.(result, index);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, lane));
  return results;
}

/** In a thread of `inParallel`: answers every task it is sent; it is of whatever type `tasks` are. */
export function answerTasks(answer: (task: never) => Promise<unknown>): void {
  parentPort?.on('message', (task: unknown) => {
    void answer(task as never).then(
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      (result) => parentPort?.postMessage({ result }),
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

function answerOf<Result>(worker: Worker, task: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: { readonly result: Result } | { readonly error: string }) => {
      worker.off('error', reject);
      if ('error' in message) reject(new Error(message.error));
      else resolve(message.result);
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(task);
  });
}
