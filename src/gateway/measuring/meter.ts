import type { Shares } from '../routing/shares.ts';
import type { UnitDraw } from '../routing/unit-draw.ts';

/** How a request ended, as far as the service is to be judged by it. */
export type Ending =
  /** The instance answered, whatever it answered. */
  | 'answered'
  /** The gateway answered because no instance could (502, 503, 504). */
  | 'failed'
  /** The answer broke off. */
  | 'aborted'
  /** The client went away before the answer was whole. */
  | 'abandoned'
  /** Refused at the door: limits, rate limits, forbidden, malformed. Says nothing about a release. */
  | 'refused'
  /** From the cache. */
  | 'cached'
  | 'switched';

/** What is known of one request at its end. A single mutable object may be used again for the next: nothing of it may be kept. */
export interface Finished {
  /** Of the answer; 0 when there was none. */
  status: number;
  ending: Ending;
  /** Milliseconds, fractional: from the whole head of the request to the first byte of the answer, and to its end. */
  firstByteMs: number;
  totalMs: number;
  bytesIn: number;
  bytesOut: number;
  retries: number;
  queuedMs: number;
  /** Of the assignment (see `Assignment`). */
  probability: number;
  by: 'request' | 'unit' | 'override';
  unit: number;
  shares: Shares | undefined;
  draw: UnitDraw | undefined;
  /** Value of the answer header `x-sluice-attributes`; empty when there was none. */
  attributes: string;
}

/** A request that a release has, as it goes: what is read of it changes until it has ended. */
export interface Underway {
  /** Milliseconds of the clock that evidence is counted by. */
  readonly startedAt: number;
  /** 0: no byte of an answer yet. */
  readonly firstByteAt: number;
  /** The client has sent all of it. */
  readonly isWhole: boolean;
  /** Where it is among those that are open; -1 at first, and no concern of its owner's. */
  place: number;
  readonly assigned: (Pick<Finished, 'probability' | 'by' | 'unit'> & Partial<Pick<Finished, 'shares' | 'draw'>>) | undefined;
}

/** A request that was answered by one release and, for nobody, by another one too. */
export interface CopiedPair {
  /** What the client was given. */
  readonly release: string;
  readonly original: CopiedHalf;
  readonly copy: CopiedHalf;
}

interface CopiedHalf {
  readonly isError: boolean;
  /** Milliseconds from the whole head of the request to the end of the answer; infinite where it is known only to have been longer than any. */
  readonly totalMs: number;
}

/** Counts and latencies of one release of one service. Updated in place, without allocation. */
export interface Meter {
  /**
   * A request was given to it, or was answered or refused in its name. Every `begin` is matched by one `end`, whatever the ending. `request` where it was
   * drawn for this release: it counts too when it is never answered.
   */
  begin(request?: Underway): void;
  end(finished: Finished, request?: Underway): void;
  /** An instance of it was ejected. */
  ejected(): void;
  /** It has had the copy of a request. No request of its own: `begin` and `end` know nothing of it. */
  copied(pair: CopiedPair): void;
}
