/** One change of an HTTP API, as the clients of the older one see it. */
export interface ApiChange {
  /** `POST /orders request items[].quantity`. */
  readonly path: string;
  /** Whether a client written for the older description can fail on it. */
  readonly breaking: boolean;
  /** `a new required field`. */
  readonly what: string;
}
