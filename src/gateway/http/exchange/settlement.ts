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
  attributes: '',
};

/** What one request was, for the meter of the release that had it last. */
export interface Account {
  readonly startedAt: number;
  /** 0: none came. */
  readonly firstByteAt: number;
  readonly status: number;
  readonly attempts: number;
  readonly queuedMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly attributes: string;
  readonly service: RoutedService;
  readonly assigned: Assignment | undefined;
}

export function settle(backend: Backend, account: Account, ending: Ending, now: number): void {
  if (backend.meter === undefined) return;
  const { assigned } = account;
  finished.status = account.status;
  finished.ending = ending;
  finished.firstByteMs = account.firstByteAt === 0 ? 0 : account.firstByteAt - account.startedAt;
  finished.totalMs = now - account.startedAt;
  finished.bytesIn = account.bytesIn;
  finished.bytesOut = account.bytesOut;
  finished.retries = Math.max(0, account.attempts - 1);
  finished.queuedMs = account.queuedMs;
  finished.attributes = account.attributes;
  if (assigned === undefined) {
    finished.probability = shareOf(account.service, backend);
    finished.by = 'request';
    finished.unit = 0;
  } else if (assigned.backend === backend) {
    finished.probability = assigned.probability;
    finished.by = assigned.by;
    finished.unit = assigned.unit;
  } else {
    // The release it was given to had no instance: that another answered was no draw and is evidence for nobody.
    finished.probability = 1;
    finished.by = 'override';
    finished.unit = 0;
  }
  backend.meter.end(finished, now);
}

function shareOf(service: RoutedService, backend: Backend): number {
  let total = 0;
  for (const each of service.backends) total += each.weight;
  return total > 0 ? backend.weight / total : 1;
}
