import { hash } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { writeDurably } from '../../effects/files.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import type { RoutingTable } from '../routing-table.ts';
import { gatewayVersion } from '../version.ts';
import { tableText } from './table-change.ts';

/** The last acknowledged table on disk. */
export interface Snapshot {
  /** Resolves once the table, which has been checked, would survive a crash of the machine. */
  save(table: RoutingTable): Promise<void>;
  /** A damaged file is set aside (its new name is in `damaged`) and counts as absent: the control plane publishes anew. */
  load(): Promise<LoadedSnapshot>;
}

interface LoadedSnapshot {
  readonly table?: RoutingTable;
  readonly damaged?: { readonly setAside: string; readonly reason: string };
}

/** `now` gives the time that names a file set aside. */
export function createSnapshot(path: string, now: () => number): Snapshot {
  return {
    save: (table) => writeDurably(path, sealed(tableText(table))),
    load: async () => {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) return {};
      try {
        return { table: unsealed(text) ?? (await checked(text)) };
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
): Promise<{ readonly snapshot: Snapshot; readonly table: RoutingTable | undefined }> {
  const snapshot = createSnapshot(path, now);
  const loaded = await snapshot.load();
  return { snapshot: { ...snapshot, load: () => Promise.resolve(loaded) }, table: loaded.table };
}

// Checking a large table takes longer than starting the processes that serve by it. So the file says that its table has been checked: by a
// digest of what was written, as its last member, which an older version passes over.

const seal = /,"seal":"([0-9a-f]{64})"\}$/;

function sealed(text: string): string {
  return `${text.slice(0, -1)},"seal":"${sealOf(text)}"}`;
}

/** Undefined when it is not as this version has written it. */
function unsealed(text: string): RoutingTable | undefined {
  const found = seal.exec(text.slice(-76));
  if (found === null) return undefined;
  const written = `${text.slice(0, -found[0].length)}}`;
  return sealOf(written) === found[1] ? (JSON.parse(written) as RoutingTable) : undefined;
}

function sealOf(text: string): string {
  return hash('sha256', `${gatewayVersion}\n${text}`);
}

async function checked(text: string): Promise<RoutingTable> {
  const { parseTable } = await import('./check-table.ts');
  return parseTable(JSON.parse(text));
}
