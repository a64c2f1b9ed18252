import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../../../effects/clock.ts';
import { writeDurably } from '../../../../effects/files.ts';
import { sluiceError } from '../../../../errors/sluice-error.ts';
import { syncFolders } from '../backup/copy-files.ts';
import { dataFolder } from '../cluster.ts';
import { haltServer, haltServerOn } from '../postgres-server.ts';
import { removeReplaced, replacedName } from './replaced.ts';
import { addTimeline } from './timelines.ts';

/**
 * Where a restore is, in `restore.json` of the server's folder. Until it says `decided`, the database is the old server and all that was
 * prepared is thrown away; from then on it is the new one, and whoever finds the journal completes the swap.
 */
const journal = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('preparing'), restore: z.string() }),
  z.object({
    phase: z.literal('decided'),
    restore: z.string(),
    at: z.number().int(),
    timeline: z.number().int().positive(),
    ancestors: z.array(z.object({ timeline: z.number().int().positive(), until: z.string() })).readonly(),
  }),
]);
export type RestoreJournal = z.infer<typeof journal>;

const fileOf = (folder: string): string => join(folder, 'restore.json');

/** Where a restore prepares the new server's data: beside the data it will replace. */
export function preparingFolder(folder: string): string {
  return join(folder, 'restoring');
}

export async function writeJournal(folder: string, entry: RestoreJournal): Promise<void> {
  await writeDurably(fileOf(folder), `${JSON.stringify(entry, undefined, 2)}\n`);
}

/**
 * Brings a restore that was cut short to its end: forward when it had been decided, back when not. It returns whether there was one; then
 * a server may have to be started. Idempotent, and correct after a crash of its own.
 */
export async function settleRestore(folder: string, name: string, clock: Clock): Promise<boolean> {
  const found = await readJournal(folder, name);
  if (!found) return false;
  await haltServerOn(preparingFolder(folder), name, clock, found.phase === 'decided' ? 'kept' : 'discarded');
  if (found.phase === 'decided') {
    await haltServer(folder, name, clock);
    await swap(folder, name, found);
  } else await rm(preparingFolder(folder), { recursive: true, force: true });
  await rm(fileOf(folder), { force: true });
  await syncFolders(folder, []);
  return true;
}

/** The new data is renamed last: as long as it has its old name, the swap is not over. */
async function swap(folder: string, name: string, entry: RestoreJournal & { phase: 'decided' }): Promise<void> {
  const aside = join(folder, replacedName(entry.at));
  if (await exists(preparingFolder(folder))) {
    if (!(await exists(aside)) && (await exists(dataFolder(folder)))) await rename(dataFolder(folder), aside);
    await rename(preparingFolder(folder), dataFolder(folder));
    await syncFolders(folder, []);
  }
  const { restore, timeline, ancestors } = entry;
  await addTimeline(folder, name, { timeline, ancestors, since: new Date(entry.at).toISOString(), restore });
  await removeReplaced(folder, entry.at);
}

async function readJournal(folder: string, name: string): Promise<RestoreJournal | undefined> {
  const text = await readFile(fileOf(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return journal.parse(JSON.parse(text));
  } catch (error) {
    throw sluiceError('local_record_unreadable', { address: name, file: fileOf(folder) }, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
