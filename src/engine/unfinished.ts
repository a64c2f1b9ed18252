import { timestamp } from '../effects/clock.ts';
import { type SluiceError, toSluiceError } from '../errors/sluice-error.ts';
import type { Operation } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import { ready } from './attempt.ts';
import { outcomeOf } from './journal.ts';
import type { Lease } from './lease.ts';
import { record, type RunContext, stateOf, type Unfinished } from './run-context.ts';
import { resourceCollection } from './states.ts';

/** Runs a task as the environment's only writer. Throws `environment_busy`. */
export type Exclusively = (task: (lease: Lease) => Promise<void>) => Promise<void>;

/** Others are at work: what is left to do then is theirs, or that of the next apply. */
const leftToOthers: ReadonlySet<string> = new Set(['environment_busy', 'lease_lost', 'store_conflict']);
/** Nobody waits for it any longer: it goes on all the same, and nothing is known against it. */
const unwatched: ReadonlySet<string> = new Set(['rollout_wait_cancelled']);

/**
 * Follows an unfinished change to its end while the environment is free for others, then finishes and tells it. Throws how it failed. What
 * is recorded of the resource stands if a later change has touched it meanwhile.
 */
export async function seeThrough(context: RunContext, address: Address, unfinished: Unfinished, exclusively: Exclusively): Promise<void> {
  const { intent, entry, telling, goesOn } = unfinished;
  const operation: Operation = {
    id: intent.operation,
    ...(context.by !== undefined && { by: context.by }),
    signal: context.cancelled,
    progress: (message) => telling.report(message),
  };
  const inTheEnd = (task: (mine: RunContext) => Promise<void>): Promise<void> =>
    exclusively((lease) => task({ ...context, lease })).catch((thrown: unknown) => {
      if (!leftToOthers.has(toSluiceError(thrown).code)) throw thrown;
    });
  try {
    await goesOn.end(operation);
    await inTheEnd(async (mine) => {
      const applied = await goesOn.finish({ ...operation, signal: mine.lease.lost, lost: mine.lease.lost });
      const made = stateOf(mine, address);
      if (made && (await isAsRecorded(mine, address))) await record(mine, address, ready(mine, made, applied), []);
    });
  } catch (thrown) {
    const error = context.secrets.scrubError(thrown);
    // Whoever has written to the record since has the last word: there is no need to wait for his turn to be over.
    const isMine = !unwatched.has(error.code) && (await isAsRecorded(context, address));
    if (isMine) await inTheEnd((mine) => recordFailure(mine, address, intent, entry, error));
    throw error;
  }
}

async function recordFailure(
  mine: RunContext,
  address: Address,
  intent: ResourceState,
  entry: Unfinished['entry'],
  error: SluiceError,
): Promise<void> {
  if (!(await isAsRecorded(mine, address))) return;
  const left: ResourceState = { ...intent, status: 'failed', updatedAt: timestamp(mine.clock.now()) };
  await record(mine, address, left, [outcomeOf(entry, error)]);
}

/** Whether nobody has written to the record since this run did. */
async function isAsRecorded({ store, states }: RunContext, address: Address): Promise<boolean> {
  return (await store.get(resourceCollection, address))?.version === states.get(address)?.version;
}
