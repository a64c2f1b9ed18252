/**
 * Runs `work` so that any number of concurrent requests cost at most two runs: each resolves with a run that began after it was made, and
 * only one runs at a time.
 */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const run = (): Promise<void> => {
    next = undefined;
    const current = work().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  };

  return () => {
    if (running === undefined) return run();
    next ??= running.then(run, run);
    return next;
  };
}
