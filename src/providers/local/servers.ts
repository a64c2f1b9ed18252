import type { Clock } from '../../effects/clock.ts';
import type { Address } from '../../stack/stack.ts';
import { cachesGroup } from './cache/cache.ts';
import { findCacheServer, haltCacheServer } from './cache/cache-server.ts';
import { databasesGroup } from './database/places.ts';
import { findServer, haltServer } from './database/postgres-server.ts';
import { settleRestore } from './database/restore/journal.ts';
import type { Records } from './records.ts';
import { partsOf, resourceFolder } from './resource-names.ts';

/** The servers of a home, by the provider's own records alone: for when nobody can ask the state what there is. */
export interface LocalServers {
  running(): Promise<readonly Address[]>;
  /** Ends it gently; its data is kept. Success when it does not run. */
  halt(address: Address): Promise<void>;
}

export function createLocalServers({ records, clock }: { readonly records: Records; readonly clock: Clock }): LocalServers {
  const folderOf = async (address: Address, group: string): Promise<string | undefined> => {
    const record = await records.get(address);
    const root = record?.details['root'];
    return typeof root === 'string' ? resourceFolder(root, group, record?.madeAs ?? address) : undefined;
  };
  const runningAmong = async (kind: 'database' | 'cache', group: string, find: typeof findServer): Promise<readonly Address[]> => {
    const found = await Promise.all(
      (await records.list(kind)).map(async ({ address }) => {
        const folder = await folderOf(address, group);
        return folder !== undefined && (await find(folder)) !== undefined ? [address] : [];
      }),
    );
    return found.flat();
  };
  return {
    running: async () => [
      ...(await runningAmong('database', databasesGroup, findServer)),
      ...(await runningAmong('cache', cachesGroup, findCacheServer)),
    ],
    halt: async (address) => {
      const { kind, name } = partsOf(address);
      const folder = await folderOf(address, kind === 'cache' ? cachesGroup : databasesGroup);
      if (folder === undefined) return;
      if (kind === 'cache') return haltCacheServer(folder, address, clock);
      await settleRestore(folder, name, clock);
      return haltServer(folder, address, clock);
    },
  };
}
