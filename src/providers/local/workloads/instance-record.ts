import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../../effects/files.ts';
import type { Address } from '../../../stack/stack.ts';
import type { InstanceExit } from '../../workloads.ts';

/**
 * What is remembered of an instance on disk, so that a later control plane can adopt it. Holds neither environment nor secrets. It is
 * written before the process exists (without `pid`) and again afterwards: a process that started in between is found by its id.
 */
export interface InstanceRecord {
  readonly id: string;
  readonly service: Address;
  readonly release: string;
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly startedAt: string;
  readonly logFile: string;
  /** Absent between the intent to start it and the knowledge that it has started. */
  readonly process?: { readonly pid: number; readonly startTime: string };
  /** Its own cgroup folders, to be removed with it. */
  readonly cgroups: readonly string[];
  readonly exit?: InstanceExit;
}

export interface InstanceRecords<Kept extends { readonly id: string } = InstanceRecord> {
  /** Every record on disk, and the ids of the instances whose record cannot be read. */
  load(): Promise<{ readonly records: readonly Kept[]; readonly damaged: readonly string[] }>;
  save(record: Kept): Promise<void>;
  /** The instance's own folder, its HOME; created when missing. */
  folder(id: string): Promise<string>;
  remove(id: string): Promise<void>;
}

/** Records as `home/<name>/<id>.json`, mode 0600. */
export function createInstanceRecords<Kept extends { readonly id: string } = InstanceRecord>(
  home: string,
  name = 'instances',
): InstanceRecords<Kept> {
  const root = join(home, name);
  const order = new Map<string, Promise<void>>();

  /** Writes of one record happen in the order they were asked for: the last one stays. */
  function inOrder(id: string, write: () => Promise<void>): Promise<void> {
    const mine = (order.get(id) ?? Promise.resolve()).catch(() => undefined).then(write);
    order.set(id, mine);
    const release = (): void => {
      if (order.get(id) === mine) order.delete(id);
    };
    mine.then(release, release);
    return mine;
  }

  return {
    async load() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const ids = (await readdir(root)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
      const found = await Promise.all(ids.map(async (id) => [id, await read<Kept>(join(root, `${id}.json`), id)] as const));
      return {
        records: found.flatMap(([, record]) => record ?? []),
        damaged: found.flatMap(([id, record]) => (record ? [] : [id])),
      };
    },
    save: (record) => inOrder(record.id, () => writeDurably(join(root, `${record.id}.json`), `${JSON.stringify(record, undefined, 2)}\n`)),
    async folder(id) {
      const path = join(root, id);
      await mkdir(path, { recursive: true, mode: 0o700 });
      return path;
    },
    remove: (id) =>
      inOrder(id, async () => {
        await rm(join(root, id), { recursive: true, force: true });
        await rm(join(root, `${id}.json`), { force: true });
      }),
  };
}

async function read<Kept extends { readonly id: string }>(file: string, id: string): Promise<Kept | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8')) as Kept;
    return record.id === id ? record : undefined;
  } catch {
    return undefined;
  }
}
