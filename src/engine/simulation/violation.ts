/** A promise of the engine that was broken. Ends the history at once. */
export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`);
    this.name = 'Violation';
    this.invariant = invariant;
  }
}

export type Invariant =
  /** A provider is called only once the intent of that very operation is durable. */
  | 'intent_before_effect'
  /** Nothing starts before what it needs is durably done. */
  | 'dependencies_first'
  /** One declared block is one resource, whatever crashed. */
  | 'no_duplicate'
  /** What is there is what is recorded is what the stack asks for. */
  | 'converges'
  /** A protected resource goes only when it was named. */
  | 'protection'
  /** Who does not hold the lease changes nothing. */
  | 'single_writer'
  /** Nothing that is still referred to goes for good. */
  | 'nobody_stranded'
  /** Secrets are found nowhere in the store or in a plan. */
  | 'secrets_stay_secret'
  /** Everything comes to an end, by success or by an error of the catalogue that fits. */
  | 'comes_to_an_end';
