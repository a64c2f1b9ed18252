import { jsonEquals, type Json } from '../digest/json.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Store, Write } from '../store/store.ts';
import type { ServiceState } from './service-state.ts';

const collection = 'services';
const conflictRetries = 50;

/** What else is written in the transaction that takes a service from one state to the next; `version` is that of the document after it. */
export interface Alongside {
  writes(before: ServiceState | undefined, after: ServiceState, version: number): Promise<readonly Write[]>;
  /** The transaction is done. */
  written(writes: readonly Write[]): void;
}

interface ServiceDocument {
  readonly version: number;
  readonly state: ServiceState;
}

/** Services in the store. A key is `environment/name`. */
export interface ServiceDocuments {
  read(key: string): Promise<ServiceDocument | undefined>;
  /** Every service that can be understood. One that cannot must not take the others with it. */
  list(environment?: string): Promise<readonly ServiceState[]>;
  /** Keys of all documents, understood or not. */
  keys(): Promise<readonly string[]>;
  /** `state` in the place of what was read. False when the document is no longer that: nothing was written. */
  replace(key: string, before: ServiceDocument | undefined, state: ServiceState): Promise<boolean>;
  /** Nothing happens where the document is no longer of this state: somebody wants the service again. */
  remove(key: string, state: ServiceState): Promise<void>;
  /** Applies a pure change to what is stored, again if it changed meanwhile. `change` gives undefined to leave everything as it is. */
  change(key: string, change: (state: ServiceState | undefined) => ServiceState | undefined): Promise<ServiceState | undefined>;
}

export function createServiceDocuments(store: Store, alongside?: Alongside): ServiceDocuments {
  async function read(key: string): Promise<ServiceDocument | undefined> {
    const document = await store.get(collection, key);
    if (!document) return undefined;
    const state: unknown = document.value;
    if (!isServiceState(state)) throw sluiceError('service_state_damaged', { address: key });
    return { version: document.version, state };
  }

  async function replace(key: string, before: ServiceDocument | undefined, state: ServiceState): Promise<boolean> {
    const version = before?.version ?? 0;
    const more = (await alongside?.writes(before?.state, state, version + 1)) ?? [];
    try {
      await store.transact([{ operation: 'put', collection, key, value: state as unknown as Json, ifVersion: version }, ...more]);
      alongside?.written(more);
      return true;
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'store_conflict') return false;
      throw error;
    }
  }

  return {
    read,
    replace,
    async list(environment) {
      const documents = await store.list(collection, environment === undefined ? undefined : `${environment}/`);
      return documents.map(({ value }) => value as unknown).filter(isServiceState);
    },
    keys: async () => (await store.list(collection)).map(({ key }) => key),
    async remove(key, state) {
      const document = await read(key);
      if (!document || !jsonEquals(document.state as unknown as Json, state as unknown as Json)) return;
      try {
        await store.transact([{ operation: 'delete', collection, key, ifVersion: document.version }]);
      } catch (error) {
        if (!(error instanceof SluiceError && error.code === 'store_conflict')) throw error;
      }
    },
    async change(key, change) {
      for (let attempt = 0; attempt < conflictRetries; attempt += 1) {
        const current = await read(key);
        const next = change(current?.state);
        if (next === undefined || next === current?.state) return next;
        if (await replace(key, current, next)) return next;
      }
      throw sluiceError('service_state_conflict', { address: key });
    },
  };
}

/** The parts without which nothing can be decided; what is stored has been written by this program, perhaps by an older one. */
function isServiceState(value: unknown): value is ServiceState {
  if (typeof value !== 'object' || value === null) return false;
  const { address, instances, revisions, settings } = value as Partial<Record<keyof ServiceState, unknown>>;
  return (
    typeof address === 'string' && Array.isArray(instances) && Array.isArray(revisions) && typeof settings === 'object' && settings !== null
  );
}

/** `environment/name` of a service's address `environment/service/name`. */
export function serviceKey(address: string): string {
  const [environment = '', , name = ''] = address.split('/');
  return `${environment}/${name}`;
}
