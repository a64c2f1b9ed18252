import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Json } from '../digest/json.ts';
import type { Store } from '../store/store.ts';
import type { Release } from './release.ts';

const collection = 'releases';
const kept = 10;

/** Releases in the store, keyed `environment/service/id`. */
export interface ReleaseRecords {
  find(key: { readonly environment: string; readonly service: string; readonly id: string }): Promise<Release | undefined>;
  /** Oldest first. */
  list(environment: string, service: string): Promise<readonly Release[]>;
  /** Records a release; one that is recorded already counts as new again, so that it is among the last to be removed. */
  record(environment: string, service: string, release: Release): Promise<void>;
  /** Takes one back that could not be brought into use, with its files. */
  forget(environment: string, service: string, release: Release): Promise<void>;
  /** Removes all but the last ten, with their files; never one of `inUse`. */
  prune(environment: string, service: string, inUse: ReadonlySet<string>): Promise<void>;
  /** Removes every release of the service, files first. */
  removeAll(environment: string, service: string): Promise<void>;
}

export function createReleaseRecords(store: Store): ReleaseRecords {
  async function list(environment: string, service: string): Promise<readonly Release[]> {
    const documents = await store.list(collection, `${environment}/${service}/`);
    const releases = documents.map(({ value }) => value as unknown as Release);
    return releases.toSorted((left, right) => left.createdAt.localeCompare(right.createdAt) || left.id.localeCompare(right.id));
  }

  async function remove(environment: string, service: string, release: Release): Promise<void> {
    await rm(release.directory, { recursive: true, force: true });
    await store.transact([{ operation: 'delete', collection, key: `${environment}/${service}/${release.id}` }]);
  }

  return {
    list,
    async find({ environment, service, id }) {
      const document = await store.get(collection, `${environment}/${service}/${id}`);
      return document && (document.value as unknown as Release);
    },
    async record(environment, service, release) {
      const key = `${environment}/${service}/${release.id}`;
      await store.transact([{ operation: 'put', collection, key, value: release as unknown as Json }]);
    },
    forget: remove,
    async prune(environment, service, inUse) {
      const candidates = (await list(environment, service)).slice(0, -kept);
      for (const release of candidates) if (!inUse.has(release.id)) await remove(environment, service, release);
    },
    async removeAll(environment, service) {
      const releases = await list(environment, service);
      for (const release of releases) await remove(environment, service, release);
      const folders = new Set(releases.map(({ directory }) => dirname(directory)));
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };
}
