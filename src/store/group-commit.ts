interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly size: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommit<Request, Answer> {
  /** `size` in whatever unit `limit` has. */
  submit(request: Request, size: number): Promise<Answer>;
  /** Resolves when all that was submitted has been answered. */
  settled(): Promise<void>;
}

/**
 * Collects what is asked for while one commit is under way and commits it together next. `commit` answers each request, in order, by a
 * value or by an error that is its own; when it rejects, all of them are rejected.
 */
export function createGroupCommit<Request, Answer>(
  commit: (requests: readonly Request[]) => Promise<readonly (Answer | Error)[]>,
  limit: number,
): GroupCommit<Request, Answer> {
  let queue: Waiting<Request, Answer>[] = [];
  let working: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    // Those who ask in the same turn of the event loop share the first commit, too.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) {
      const batch = takeBatch();
      try {
        const answers = await commit(batch.map(({ request }) => request));
        for (const [index, { resolve, reject }] of batch.entries()) {
          const answer = answers[index] as Answer | Error;
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    working = undefined;
  };

  const takeBatch = (): readonly Waiting<Request, Answer>[] => {
    let [count, size] = [0, 0];
    while (count < queue.length && (count === 0 || size + (queue[count]?.size ?? 0) <= limit)) {
      size += queue[count]?.size ?? 0;
      count += 1;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    return batch;
  };

  return {
    submit: (request, size) =>
      new Promise((resolve, reject) => {
        queue.push({ request, size, resolve, reject });
        working ??= work();
      }),
    settled: async () => {
      await working;
    },
  };
}
