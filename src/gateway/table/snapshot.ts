import { readFile, rename } from 'node:fs/promises';
import { writeDurably } from '../../effects/files.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import type { RoutingTable } from '../routing-table.ts';
import { parseTable } from './check-table.ts';
import { tableText } from './table-change.ts';

/** The last acknowledged table on disk. */
export interface Snapshot {
  /** Resolves once the table would survive a crash of the machine. */
  save(table: RoutingTable): Promise<void>;
  /** A damaged file is set aside (its new name is in `damaged`) and counts as absent: the control plane publishes anew. */
  load(): Promise<LoadedSnapshot>;
}

interface LoadedSnapshot {
  readonly table?: RoutingTable;
  readonly damaged?: { readonly setAside: string; readonly reason: string };
}

/**
 * `now` gives the time that names a file set aside. `onRead` is told what the file holds before it is checked, which takes much longer for a
 * large table; it may be anything.
 */
export function createSnapshot(path: string, now: () => number, onRead: (unchecked: unknown) => void = () => {}): Snapshot {
  return {
    save: (table) => writeDurably(path, tableText(table)),
    load: async () => {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) {
        onRead(undefined);
        return {};
      }
      try {
        const value: unknown = JSON.parse(text);
        onRead(value);
        return { table: parseTable(value) };
      } catch (error) {
        const setAside = `${path}.damaged-${now()}`;
        await rename(path, setAside);
        return { damaged: { setAside, reason: toSluiceError(error).message } };
      }
    },
  };
}

/** A snapshot with the table it has, if any, which is read once: `load` gives what was found. */
export async function openSnapshot(
  path: string,
  now: () => number,
  onRead?: (unchecked: unknown) => void,
): Promise<{ readonly snapshot: Snapshot; readonly table: RoutingTable | undefined }> {
  const snapshot = createSnapshot(path, now, onRead);
  const loaded = await snapshot.load();
  return { snapshot: { ...snapshot, load: () => Promise.resolve(loaded) }, table: loaded.table };
}
