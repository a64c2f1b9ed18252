import type { Store } from '../store/store.ts';
import type { Outbox } from './outbox.ts';

const keptMs = 30 * 86_400_000;
const mostKept = 1_000;

/** Forgets what was given up a month ago, and of more than a thousand the oldest. */
export async function removeOldDead({
  store,
  outbox,
  now,
}: {
  readonly store: Pick<Store, 'transact'>;
  readonly outbox: Pick<Outbox, 'dead' | 'forget'>;
  readonly now: number;
}): Promise<void> {
  const newestFirst = (await outbox.dead()).toSorted((one, other) => other.diedAt - one.diedAt);
  const old = newestFirst.filter(({ diedAt }, index) => index >= mostKept || diedAt < now - keptMs);
  if (old.length > 0) await store.transact(old.map(({ id }) => outbox.forget(id)));
}
