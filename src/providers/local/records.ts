import { createHash } from 'node:crypto';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { isJsonObject, type JsonObject } from '../../digest/json.ts';
import { writeDurably } from '../../effects/files.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { Address, Kind } from '../../stack/stack.ts';
import { partsOf } from './resource-names.ts';

/**
 * What the provider itself remembers of a resource, in `home/local/ENVIRONMENT/KIND/NAME.json`. It is written before the first effect,
 * so that a creation cut short is found again, and holds no secret.
 */
export interface ResourceRecord {
  readonly id: string;
  /** Operation that last created, changed or took over the resource. */
  readonly operation: string;
  /** `making` until the first creation has come to its end. */
  readonly phase: 'making' | 'made';
  /** Facts of the kind: a port, a folder, an address. */
  readonly details: JsonObject;
  /**
   * The address that everything of the resource on this machine is named after (folders, control groups, the database on the server), when
   * it is not its own: a resource that moved keeps what it was made with.
   */
  readonly madeAs?: Address;
}

export interface Records {
  get(address: Address): Promise<ResourceRecord | undefined>;
  /** All records of a kind, in every environment. */
  list(kind: Kind): Promise<readonly { readonly address: Address; readonly record: ResourceRecord }[]>;
  /** `madeAs` is kept, or settled when this is the first record. */
  put(address: Address, record: ResourceRecord): Promise<void>;
  /**
   * What things of a resource are named after: its `madeAs`, its own address, or, should a resource that moved away still hold that
   * name, another one made from it. The same until the resource is deleted, once it is recorded.
   */
  placeOf(address: Address): Promise<Address>;
  /** The record under another address; what it names stays. Success when it is there already. */
  move(from: Address, to: Address): Promise<void>;
  /** Removes the file, and each folder above it that it leaves empty. */
  remove(address: Address): Promise<void>;
}

export function createRecords(home: string): Records {
  const root = join(home, 'local');
  const fileOf = (address: Address): string => {
    const { environment, kind, name } = partsOf(address);
    return join(root, environment, kind, `${name}.json`);
  };
  const records: Records = {
    async get(address) {
      const text = await orAbsent(readFile(fileOf(address), 'utf8'));
      return text === undefined ? undefined : parse(text, address, fileOf(address));
    },
    async list(kind) {
      const found: { address: Address; record: ResourceRecord }[] = [];
      for (const environment of (await orAbsent(readdir(root))) ?? []) {
        for (const file of (await orAbsent(readdir(join(root, environment, kind)))) ?? []) {
          if (!file.endsWith('.json')) continue;
          const address: Address = `${environment}/${kind}/${file.slice(0, -'.json'.length)}`;
          const record = await records.get(address);
          if (record) found.push({ address, record });
        }
      }
      return found;
    },
    async put(address, { madeAs: given, ...record }) {
      const place = given ?? (await records.placeOf(address));
      const text = `${JSON.stringify({ ...record, ...(place !== address && { madeAs: place }) }, undefined, 2)}\n`;
      const write = (): Promise<void> => writeDurably(fileOf(address), text);
      // The removal of a neighbour may take the empty folder away in the moment before the file is in it.
      await write().catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? write() : Promise.reject(error)));
    },
    async placeOf(address) {
      const own = await records.get(address);
      if (own) return own.madeAs ?? address;
      const { environment, kind, name } = partsOf(address);
      const others = await records.list(kind as Kind);
      const taken = new Set(others.map((other) => other.record.madeAs ?? other.address));
      for (let attempt = 0; ; attempt += 1) {
        const suffix = createHash('sha256').update(`${address}\n${attempt}`).digest('hex').slice(0, 8);
        const place: Address = attempt === 0 ? address : `${environment}/${kind as Kind}/${name.slice(0, 54)}-${suffix}`;
        if (!taken.has(place)) return place;
      }
    },
    async move(from, to) {
      const [record, other] = [await records.get(from), await records.get(to)];
      if (!record) return;
      if (other && other.id !== record.id) throw sluiceError('local_address_taken', { from, to, id: other.id });
      await records.put(to, { ...record, madeAs: record.madeAs ?? from });
      await records.remove(from);
    },
    async remove(address) {
      await rm(fileOf(address), { force: true });
      await removeEmptyFolders(dirname(fileOf(address)), home);
    },
  };
  return records;
}

/** Removes `folder` and the folders above it as long as they are empty; never `limit` itself, nor anything above it. */
export async function removeEmptyFolders(folder: string, limit: string): Promise<void> {
  for (let current = folder; current.startsWith(`${limit}${sep}`); current = dirname(current)) {
    const removed = await rmdir(current).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (!removed) return;
  }
}

function parse(text: string, address: Address, file: string): ResourceRecord {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value as unknown as ResourceRecord;
  } catch (error) {
    throw sluiceError('local_record_unreadable', { address, file }, { cause: error });
  }
  throw sluiceError('local_record_unreadable', { address, file });
}

async function orAbsent<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
