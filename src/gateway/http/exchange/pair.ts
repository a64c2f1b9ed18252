import type { CopiedPair, Finished } from '../../measuring/meter.ts';
import { isError } from '../../measuring/evidence.ts';

/** A copy whose request has long ended is waited for so long, and ten times as long as the request took. */
const patienceMs = 30_000;
const patienceTimes = 10;

interface Half {
  readonly isError: boolean;
  /** Infinity: longer than whoever asked was willing to wait. */
  readonly totalMs: number;
}

/**
 * A request and its copy, counted together when both have ended, or not at all. If the releases do not differ, neither do the chances of
 * the two halves to fail or to be slow; every rule here keeps it so, or errs in favour of the copy, whose release is on trial:
 *
 * - A half that is still under way when it has lasted 30 s and ten times the other has failed, whichever half it is.
 * - The client hears one half only, and may leave before it is whole. If the copy had ended by then, the request has failed and was slower
 *   than any threshold: what the copy may fail in after a client had left is outweighed by that, as either half is as likely to be the
 *   one that keeps a client waiting. If the copy was under way too, nothing is known of either.
 */
export class Pair {
  readonly #release: string;
  readonly #count: (pair: CopiedPair) => void;
  #original: Half | undefined;
  #copy: Half | undefined;
  #isOver = false;

  /** `release`: what the client's request was given to. */
  constructor(release: string, count: (pair: CopiedPair) => void) {
    this.#release = release;
    this.#count = count;
  }

  /** Nothing that happens from now on is counted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  originalEnded(finished: Finished): void {
    const { by, ending, totalMs } = finished;
    if (ending === 'abandoned' && this.#copy !== undefined) this.#original = { isError: true, totalMs: Number.POSITIVE_INFINITY };
    // Another release answered, or none was asked: it is no comparison.
    else if (by === 'override' || (ending !== 'answered' && ending !== 'failed' && ending !== 'aborted')) this.#isOver = true;
    else this.#original = { isError: isError(finished), totalMs };
    this.#settle();
  }

  copyEnded(half: Half): void {
    this.#copy = half;
    this.#settle();
  }

  /** The copy was not made after all. */
  drop(): void {
    this.#isOver = true;
  }

  /** Whether a copy that is under way and has lasted for so long is waited for no longer. */
  hasLost(elapsedMs: number): boolean {
    return this.#original !== undefined && elapsedMs > patienceFor(this.#original);
  }

  #settle(): void {
    const [original, copy] = [this.#original, this.#copy];
    if (this.#isOver || original === undefined || copy === undefined) return;
    this.#isOver = true;
    const hasLost = original.totalMs > patienceFor(copy);
    this.#count({ release: this.#release, original: hasLost ? { ...original, isError: true } : original, copy });
  }
}

function patienceFor(other: Half): number {
  return Math.max(patienceMs, patienceTimes * other.totalMs);
}
