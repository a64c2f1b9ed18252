import type { Json } from '../digest/json.ts';
import type { Store, Write } from '../store/store.ts';
import type { FlagRollout } from './flag-rollout.ts';

const collection = 'flag-rollouts';

/** The rollout under way, or the last one, of every flag that had one. */
export function createFlagRolloutDocuments(store: Store) {
  return {
    read: async (environment: string, flag: string): Promise<{ readonly rollout: FlagRollout; readonly version: number } | undefined> => {
      const document = await store.get(collection, keyOf({ environment, flag }));
      return document && { rollout: document.value as unknown as FlagRollout, version: document.version };
    },
    /** Under way, or ended and yet to be cleaned up after. */
    unsettled: async (): Promise<readonly FlagRollout[]> =>
      (await store.list(collection)).map(({ value }) => value as unknown as FlagRollout).filter(({ isSettled }) => isSettled !== true),
    /** For a transaction with what changes beside it. Fails as `store_conflict` when somebody was faster. */
    write: written,
    replace: async (rollout: FlagRollout, version: number): Promise<void> => {
      await store.transact([written(rollout, version)]);
    },
  };
}

function keyOf({ environment, flag }: Pick<FlagRollout, 'environment' | 'flag'>): string {
  return `${environment}/${flag}`;
}

function written(rollout: FlagRollout, version: number): Write {
  return { operation: 'put', collection, key: keyOf(rollout), value: rollout as unknown as Json, ifVersion: version };
}
