import type { DesiredService } from '../desired-state.ts';
import type { Asks } from './asks.ts';
import type { AnsweredLog } from './hook-receiver.ts';
import type { MeasuredLog } from './measured-sources.ts';
import type { Tally } from './tally.ts';
import type { Watch } from './world.ts';

/** What every invariant is told and may note. */
export interface Witness {
  /** Notes what did not hold. */
  readonly check: (holds: boolean, what: string) => void;
  readonly tally: Tally;
  /** Whether somebody is asking for something right now. */
  readonly isPeople: () => boolean;
  /** Users whose side is followed. */
  readonly users: number;
  readonly measured: MeasuredLog;
  /** What hooks have answered. */
  readonly answered: AnsweredLog;
  readonly asks: Pick<Asks, 'current'>;
  /** What every apply wants, by its operation. */
  readonly declared: ReadonlyMap<string, DesiredService>;
}

const nothing = (): void => undefined;

/** A watch that looks at some of it. */
export function watching(parts: Partial<Watch>): Watch {
  return { stored: nothing, stops: nothing, published: nothing, ...parts };
}
