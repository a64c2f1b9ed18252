import type { Ending, Finished } from '../../measuring/meter.ts';
import type { RoutedService } from '../../routing/routes.ts';
import type { Assignment } from '../../routing/split.ts';
import type { Downstream } from '../downstream.ts';
import type { Engine } from '../engine.ts';
import { aboutRequest } from './about.ts';
import type { Attempts } from './attempts.ts';
import type { Entered } from './entry.ts';
import { type Account, settleAtDoor } from './settlement.ts';

/** What is known of one exchange when it has ended, and who is told of it. */
export abstract class ExchangeAccount implements Account {
  readonly startedAt: number;
  firstByteAt = 0;
  place = -1;
  isWhole = false;
  status = 0;
  queuedMs = 0;
  attributes = '';
  /** Undefined until it is known where it goes, or would have gone. */
  service: RoutedService | undefined;
  assigned: Assignment | undefined;
  protected readonly engine: Engine;
  protected readonly downstream: Downstream;
  protected entered: Entered | undefined;
  protected tries: Attempts | undefined;
  protected ending: Ending = 'abandoned';

  constructor(engine: Engine, downstream: Downstream) {
    this.engine = engine;
    this.downstream = downstream;
    this.startedAt = engine.now();
  }

  get attempts(): number {
    return this.tries?.count ?? 0;
  }

  get bytesIn(): number {
    return this.downstream.bytesRead();
  }

  get bytesOut(): number {
    return this.downstream.bytesWritten();
  }

  /** Once, after the end. What it has come to is to be read at once; undefined when no service had it. */
  protected settle(): Finished | undefined {
    if (this.service === undefined) return undefined;
    const ended = this.tries?.end(this.ending) ?? settleAtDoor(this, this.service, this.ending, this.engine.now());
    const { observer } = this.engine;
    if (observer !== undefined && this.entered !== undefined) {
      observer.observe(ended, aboutRequest(this.downstream.head, this.entered, this.tries?.last));
    }
    return ended;
  }
}
