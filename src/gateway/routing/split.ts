import type { Backend } from '../balancing/choose.ts';
import type { RawHeaders } from '../http/downstream.ts';

/** Which release one request goes to, and by what chance. */
export interface Assignment {
  readonly backend: Backend;
  /**
   * The chance with which the request, or the unit behind it, was sent to this backend rather than another; 1 when it was no draw. What
   * evidence is computed from: it is the chance at the moment of the draw, whichever instances were ready.
   */
  readonly probability: number;
  /** What was drawn: the request itself, the user behind it (`unit` is a salted hash of who), or nothing: a tester chose. */
  readonly by: 'request' | 'unit' | 'override';
  /** 52-bit salted hash of the user; 0 unless `by` is `unit`. */
  readonly unit: number;
}

/** Compiled once per table. */
export interface Split {
  /** Undefined when no backend can be given a request. `point` is uniform in [0, 1), used unless a unit or an override decides. */
  assign(headers: RawHeaders, point: number): Assignment | undefined;
}
