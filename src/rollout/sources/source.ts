/** Something else than the gateway that speaks for or against a candidate. As declared: interpolations unresolved, no secret. */
export interface SourceSettings {
  readonly name: string;
  readonly ask: Ask;
  /** Bounds of the value, both included. A command has none, nor has an answer of which only the status counts. */
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failed measurements in a row that are tolerated. */
  readonly failures: number;
  /** Measurements in a row that may come to nothing. */
  readonly errors: number;
}

export type Ask =
  | { readonly type: 'prometheus'; readonly url: string; readonly query: string; readonly authorization?: string }
  /** `pointer`: where the value is in the JSON of the answer; without one the status decides. */
  | { readonly type: 'http'; readonly url: string; readonly pointer?: string; readonly authorization?: string }
  | { readonly type: 'command'; readonly command: readonly string[] };

/** What one measurement came to. Only `pass` speaks for the candidate, and only `fail` against it. */
export type Measured =
  | { readonly outcome: 'pass' | 'fail'; readonly value?: number; readonly said?: string }
  | { readonly outcome: 'no_data' | 'error'; readonly said: string };

export interface Measurement {
  /** When it was begun (milliseconds since the epoch). */
  readonly at: number;
  readonly measured: Measured;
}

/** A value held to the bounds. What is no finite number is no data: 0/0 means that nothing has happened. */
export function heldTo(value: number, { atMost, atLeast }: Pick<SourceSettings, 'atMost' | 'atLeast'>): Measured {
  if (!Number.isFinite(value)) return { outcome: 'no_data', said: `the value is ${value}` };
  const passes = (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
  return { outcome: passes ? 'pass' : 'fail', value };
}
