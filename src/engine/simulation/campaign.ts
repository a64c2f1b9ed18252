import { playHistory } from './history.ts';
import { createTrace } from './trace.ts';
import { addTally, emptyTally, type Tally } from './world.ts';

/** What came of many seeds. Plain data: it travels between threads. */
export interface Results {
  readonly histories: number;
  readonly tally: Tally;
  readonly broken: readonly BrokenPromise[];
  /** Over the digests of all histories in order: equal when all of them went the same way. */
  readonly digest: string;
}

interface BrokenPromise {
  readonly seed: number;
  readonly message: string;
}

/** Plays the histories of `count` seeds from `first` on. */
export async function playHistories(first: number, count: number): Promise<Results> {
  const tally = emptyTally();
  const broken: BrokenPromise[] = [];
  const digests = createTrace(false);
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await playHistory(seed);
    addTally(tally, outcome.tally);
    digests.add(outcome.digest);
    if (outcome.violation) broken.push({ seed, message: outcome.violation.message });
  }
  return { histories: count, tally, broken, digest: digests.digest() };
}

/** Results of consecutive parts, in order, as one. */
export function together(parts: readonly Results[]): Results {
  const tally = emptyTally();
  const digests = createTrace(false);
  for (const part of parts) {
    addTally(tally, part.tally);
    digests.add(part.digest);
  }
  const histories = parts.reduce((sum, part) => sum + part.histories, 0);
  return { histories, tally, broken: parts.flatMap(({ broken }) => broken), digest: digests.digest() };
}
