import { AsyncLocalStorage } from 'node:async_hooks';

/** Something somebody asks for, or several who ask for the same: how many writes of the service came of it, and may at most. */
export interface Ask {
  readonly most: number;
  writes: number;
}

export interface Asks {
  /** While this runs, what it stores is what somebody has asked for. */
  byPeople<Result>(perform: () => Promise<Result>, ask?: Ask): Promise<Result>;
  /** Of what is being stored right now: what somebody asked for, undefined where nobody did. */
  current(): Ask | undefined;
}

/** Tells what people ask for from what a controller does by itself at the same moment. */
export function createAsks(): Asks {
  const asking = new AsyncLocalStorage<{ readonly ask: Ask; isDone: boolean }>();
  return {
    byPeople(perform, ask = { most: Number.POSITIVE_INFINITY, writes: 0 }) {
      // A pass that was woken by it begins within it, and goes on after it.
      const mine = { ask, isDone: false };
      return asking.run(mine, async () => {
        try {
          return await perform();
        } finally {
          mine.isDone = true;
        }
      });
    },
    current() {
      const mine = asking.getStore();
      return mine?.isDone === false ? mine.ask : undefined;
    },
  };
}
