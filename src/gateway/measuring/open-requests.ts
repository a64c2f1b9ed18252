import type { Finished, Underway } from './meter.ts';

/** Requests that were drawn and have no outcome yet: one that is never answered is an outcome too, and the only one of a release that hangs. */
export interface OpenRequests {
  /** `count` is called with its outcome, at most once, if nobody answers it. */
  begun(request: Underway, count: Count): void;
  /** Whether its outcome is still to be counted. */
  ended(request: Underway | undefined, finished: Finished): boolean;
  /**
   * Counts what has gone unanswered. Times in monotonic ms: what began at `dueAt` is due, and unanswered if it began before `unansweredAt`. Gives the
   * moment from which on something may be missing that is drawn already: what is counted after it would be what was quick.
   */
  settle(dueAt: number, unansweredAt: number): number;
}

type Count = (finished: Finished) => void;

/** As the place of a request. */
const isNowhere = -1;
const isCounted = -2;

/** Others wait so long (ms) for the outcome of one that may still be answered. */
const longestWaitMs = 60_000;

/** `now`: monotonic milliseconds, of the clock that requests begin by. */
export function createOpenRequests(now: () => number): OpenRequests {
  // No Map: one that is filled and emptied all the time is made anew again and again, each dead table names the next one, and as soon as one of
  // them is old so is every request that was ever open.
  const open: (Underway | undefined)[] = [];
  const counts: (Count | undefined)[] = [];
  const free: number[] = [];
  let givenUp: { readonly request: Underway; readonly endedAt: number; readonly count: Count }[] = [];

  const isOpen = (request: Underway): boolean => request.place >= 0 && open[request.place] === request;

  const close = (request: Underway, place: number): Count | undefined => {
    const at = request.place;
    const count = counts[at];
    open[at] = undefined;
    counts[at] = undefined;
    free.push(at);
    request.place = place;
    return count;
  };

  return {
    begun: (request, count) => {
      if (!isOpen(request)) request.place = free.pop() ?? open.length;
      open[request.place] = request;
      counts[request.place] = count;
    },
    ended: (request, { ending }) => {
      if (request === undefined) return true;
      if (request.place === isCounted) {
        request.place = isNowhere;
        return false;
      }
      const count = isOpen(request) ? close(request, isNowhere) : undefined;
      if (count !== undefined && ending === 'abandoned' && request.firstByteAt === 0) givenUp.push({ request, endedAt: now(), count });
      return true;
    },
    settle: (dueAt, unansweredAt) => {
      const at = now();
      const patienceMs = at - dueAt;
      let missingFrom = dueAt;
      for (const request of open) {
        if (request === undefined) continue;
        const { startedAt } = request;
        if (startedAt >= dueAt || request.firstByteAt !== 0 || !request.isWhole) continue;
        if (startedAt < unansweredAt) {
          close(request, isCounted)?.(unanswered(request, at));
        } else missingFrom = Math.min(missingFrom, startedAt);
      }
      const due = givenUp.filter(({ request }) => request.startedAt < dueAt);
      if (due.length > 0) givenUp = givenUp.filter(({ request }) => request.startedAt >= dueAt);
      // Whom it took no longer than nearly all answers take says nothing: people change their minds.
      for (const { request, endedAt, count } of due) if (endedAt - request.startedAt >= patienceMs) count(unanswered(request, at));
      return Math.min(dueAt, Math.max(missingFrom, at - longestWaitMs));
    },
  };
}

function unanswered({ startedAt, assigned }: Underway, at: number): Finished {
  return {
    probability: assigned?.probability ?? 1,
    by: assigned?.by ?? 'override',
    unit: assigned?.unit ?? 0,
    shares: assigned?.shares,
    draw: assigned?.draw,
    status: 0,
    ending: 'failed',
    firstByteMs: 0,
    totalMs: at - startedAt,
    bytesIn: 0,
    bytesOut: 0,
    retries: 0,
    queuedMs: 0,
    attributes: '',
  };
}
