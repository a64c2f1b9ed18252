export interface Step<Key> {
  readonly key: Key;
  /** Steps that must be finished before. */
  readonly after: readonly Key[];
}

/**
 * Walks steps in parallel, each as soon as all it comes after are finished, at most `concurrency` at the same time. `perform` answers
 * with the step at which things went wrong (itself, or the one that blocked it) or undefined, and is told the first such answer among
 * those it came after. If it rejects, nothing more is started and the walk rejects once everything under way has ended.
 * Linear in steps plus edges.
 */
export async function walk<Key>(
  steps: readonly Step<Key>[],
  concurrency: number,
  perform: (key: Key, blockedBy: Key | undefined) => Promise<Key | undefined>,
): Promise<void> {
  const followers = new Map<Key, Key[]>(steps.map(({ key }) => [key, []]));
  const waitingFor = new Map<Key, number>();
  const blockedBy = new Map<Key, Key>();
  for (const { key, after } of steps) {
    const known = after.filter((earlier) => followers.has(earlier));
    waitingFor.set(key, known.length);
    for (const earlier of known) followers.get(earlier)?.push(key);
  }
  const ready = steps.filter(({ key }) => waitingFor.get(key) === 0).map(({ key }) => key);
  let next = 0;
  const errors: unknown[] = [];

  const finish = (key: Key, culprit: Key | undefined): void => {
    for (const follower of followers.get(key) ?? []) {
      if (culprit !== undefined && !blockedBy.has(follower)) blockedBy.set(follower, culprit);
      const remaining = (waitingFor.get(follower) ?? 0) - 1;
      waitingFor.set(follower, remaining);
      if (remaining === 0) ready.push(follower);
    }
  };

  await new Promise<void>((resolve) => {
    let running = 0;
    const advance = (): void => {
      while (running < concurrency && next < ready.length && errors.length === 0) {
        const key = ready[next] as Key;
        next += 1;
        running += 1;
        void perform(key, blockedBy.get(key))
          .then((culprit) => finish(key, culprit))
          .catch((error: unknown) => errors.push(error))
          .then(() => {
            running -= 1;
            advance();
          });
      }
      if (running === 0) resolve();
    };
    advance();
  });
  if (errors.length > 0) throw errors[0];
}
