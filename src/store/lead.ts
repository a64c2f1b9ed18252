import { type Clock, timestamp } from '../effects/clock.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Store, Write } from './store.ts';

const collection = 'lead';
const key = 'control-plane';

/**
 * Takes the lead of all that is in a store: from then on the store that is given back writes, and every one that was given before writes nothing
 * more, whoever holds it and however late it wakes up. The version of one document, one higher with every new holder, is the fencing token:
 * each transaction expects it (Kleppmann, "How to do distributed locking", 2016). A transaction of nothing tells whether the lead is still held.
 * Writes throw `control_plane_superseded` once another has it; `onLost` is called the first time. Reading goes on.
 */
export async function takeLead<Kind extends Store>(
  store: Kind,
  { holder, clock, onLost }: { readonly holder: string; readonly clock: Pick<Clock, 'now'>; readonly onLost?: () => void },
): Promise<Kind> {
  const value = { holder, since: timestamp(clock.now()) };
  const [token = 0] = await store.transact([{ operation: 'put', collection, key, value }]);
  const fence: Write = { operation: 'expect', collection, key, ifVersion: token };
  let isLost = false;

  async function lose(error: unknown): Promise<never> {
    const isConflict = error instanceof SluiceError && error.code === 'store_conflict';
    const lead = isConflict ? await store.get(collection, key) : undefined;
    if (!isConflict || lead?.version === token) throw error;
    if (!isLost) onLost?.();
    isLost = true;
    const { holder: other, since } = { ...(lead?.value as Partial<typeof value> | undefined) };
    throw sluiceError('control_plane_superseded', { holder: other ?? 'unknown', since: since ?? 'unknown' }, { cause: error });
  }

  return {
    ...store,
    transact: async (writes: readonly Write[]) => (await store.transact([fence, ...writes]).catch(lose)).slice(1),
  };
}
