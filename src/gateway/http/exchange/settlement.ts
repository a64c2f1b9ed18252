import type { Backend } from '../../balancing/choose.ts';
import type { Ending, Finished } from '../../measuring/meter.ts';
import type { Assignment } from '../../routing/split.ts';
import type { RoutedService } from '../../routing/routes.ts';

/** Used again for every request: meters keep nothing of it. */
const finished: Finished = {
  status: 0,
  ending: 'answered',
  firstByteMs: 0,
  totalMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  retries: 0,
  queuedMs: 0,
  probability: 1,
  by: 'request',
  unit: 0,
  shares: undefined,
  draw: undefined,
  attributes: '',
};

/** What one request was, for the meter of the release that had it last. */
export interface Account {
  readonly startedAt: number;
  /** The client has sent all of it. */
  readonly isWhole: boolean;
  /** 0: none came. */
  readonly firstByteAt: number;
  readonly status: number;
  readonly attempts: number;
  readonly queuedMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly attributes: string;
  readonly service: RoutedService | undefined;
  readonly assigned: Assignment | undefined;
  /** See `Underway`. */
  place: number;
}

/** Ends what the release's meter began. The result is the one record there is: nothing of it may be kept. */
export function settle(backend: Backend | undefined, account: Account, ending: Ending, now: number): Finished {
  const { assigned } = account;
  record(account, ending, now);
  if (assigned === undefined) {
    finished.probability = shareOf(account.service, backend);
    finished.by = 'request';
    finished.unit = 0;
    finished.shares = undefined;
    finished.draw = undefined;
  } else if (assigned.backend === backend) {
    finished.probability = assigned.probability;
    finished.by = assigned.by;
    finished.unit = assigned.unit;
    finished.shares = assigned.shares;
    finished.draw = assigned.draw;
  } else {
    // The release it was given to had no instance: that another answered was no draw and is evidence for nobody.
    evidenceForNobody();
  }
  backend?.meter?.end(finished, account);
  return finished;
}

/** Refused or answered before it was given to a release: counted for the last one, stable, and evidence for nobody. */
export function settleAtDoor(account: Account, { backends }: RoutedService, ending: Ending, now: number): Finished {
  const stable = backends.at(-1);
  record(account, ending, now);
  evidenceForNobody();
  stable?.meter?.begin();
  stable?.meter?.end(finished);
  return finished;
}

function record(account: Account, ending: Ending, now: number): void {
  finished.status = account.status;
  finished.ending = ending;
  finished.firstByteMs = account.firstByteAt === 0 ? 0 : account.firstByteAt - account.startedAt;
  finished.totalMs = now - account.startedAt;
  finished.bytesIn = account.bytesIn;
  finished.bytesOut = account.bytesOut;
  finished.retries = Math.max(0, account.attempts - 1);
  finished.queuedMs = account.queuedMs;
  finished.attributes = account.attributes;
}

function evidenceForNobody(): void {
  finished.probability = 1;
  finished.by = 'override';
  finished.unit = 0;
  finished.shares = undefined;
  finished.draw = undefined;
}

function shareOf(service: RoutedService | undefined, backend: Backend | undefined): number {
  if (service === undefined || backend === undefined) return 1;
  let total = 0;
  for (const each of service.backends) total += each.weight;
  return total > 0 ? backend.weight / total : 1;
}
