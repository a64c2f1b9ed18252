import { sluiceError, SluiceError } from '../../../errors/sluice-error.ts';
import type { Address } from '../../../stack/stack.ts';
import type { Backup, DatabaseKeeper } from '../../database-keeper.ts';
import type { LocalContext } from '../resource-handler.ts';
import { archivedAt, availableSegments } from './archive/wal-archive.ts';
import { takeBackup } from './backup/base-backup.ts';
import { diskUse } from './backup/copy-files.ts';
import { type Manifest, readManifests } from './backup/manifest.ts';
import { prune } from './backup/prune.ts';
import { nextBackup } from './backup/schedule.ts';
import { dataFolder } from './cluster.ts';
import { type DatabasePlaces, type PlacedDatabase, settingsOf } from './places.ts';
import { findServer } from './postgres-server.ts';
import { follow, type RecoverySource } from './restore/choose.ts';
import { settleRestore } from './restore/journal.ts';
import { restorableRanges } from './restore/ranges.ts';
import { replacedFolders } from './restore/replaced.ts';
import { planRecovery, restoreDatabase } from './restore/restore.ts';
import { leadsFrom, readTimelines } from './restore/timelines.ts';
import { ensureDatabase } from './roles.ts';
import { archiveState } from './watch/archiver.ts';

/** The keeper of the databases of this machine. */
export function createLocalDatabaseKeeper(context: LocalContext, places: DatabasePlaces): DatabaseKeeper {
  const { clock, random } = context;

  const placed = async (address: Address): Promise<PlacedDatabase> => {
    const found = await places.find(address);
    if (!found || found.record.phase !== 'made') throw sluiceError('unknown_resource', { address });
    return found;
  };

  /** Runs the server again that is there after a restore, or after the failure of one. */
  const bringUp = async (address: Address, { record, details, database }: PlacedDatabase): Promise<void> => {
    await places.run(address);
    const password = await context.secrets.derive(record.id, 'database', 32);
    await ensureDatabase(await places.endpointOf(record.id, details), database, password, random);
  };

  const keeper: DatabaseKeeper = {
    list: async () =>
      (await context.records.list('database'))
        .filter(({ record }) => record.phase === 'made' && record.details['declared'] !== undefined)
        .map(({ address }) => address),

    backup: (address, operation) =>
      within(address, 'back up', () =>
        places.inTurn(address, async () => {
          const { record, details, folder, name } = await placed(address);
          operation.signal.throwIfAborted();
          if ((details.declared?.retentionDays ?? 0) === 0) throw sluiceError('database_backups_off', { name });
          if (!(await findServer(folder))) throw sluiceError('database_not_running', { name, action: 'backed up' });
          const endpoint = await places.endpointOf(record.id, details);
          return shown(await takeBackup({ name, folder, endpoint, clock, random }, operation));
        }),
      ),

    backups: (address) =>
      within(address, 'list the backups of', async () => {
        const found = await placed(address);
        const source = await sourceOf(found);
        const ranges = await restorableRanges(source, (segment) => archivedAt(found.folder, segment));
        return {
          retentionDays: found.details.declared?.retentionDays ?? 0,
          items: source.manifests.map(shown),
          restorable: ranges.map(({ from, to }) => (to === undefined ? { from: time(from) } : { from: time(from), to: time(to) })),
          replaced: (await replacedFolders(found.folder)).map((folder) => ({ folder: folder.name, at: time(folder.time) })),
        };
      }),

    backupDue: (address) =>
      within(address, 'look after', async () => {
        const found = await placed(address);
        if ((found.details.declared?.retentionDays ?? 0) === 0 || !(await findServer(found.folder))) return undefined;
        const source = await sourceOf(found);
        const present = source.timelines.at(-1);
        // One that a gap in the log cuts off from the present brings back nothing that is written from now on.
        const last = source.manifests.findLast(
          (manifest) =>
            present !== undefined &&
            leadsFrom(present, manifest.timeline, manifest.stopPosition) &&
            follow(manifest, present, source.segments).missing === undefined,
        );
        return nextBackup(address, last && Date.parse(last.stoppedAt));
      }),

    prune: (address) =>
      within(address, 'prune the backups of', () =>
        places.inTurn(address, async () => {
          const { details, folder, name } = await placed(address);
          return prune(folder, name, details.declared?.retentionDays ?? 0, clock.now());
        }),
      ),

    planRestore: (address, to) =>
      within(address, 'plan the restore of', async () => {
        const { folder, name } = await placed(address);
        const { moment, chosen } = await planRecovery({ name, folder, clock }, to);
        const [{ manifest, log }] = chosen.candidates;
        return { to: rfc3339(moment.text), backup: shown(manifest), segments: log.count };
      }),

    restore: (address, to, operation) =>
      within(address, 'restore', () =>
        places.inTurn(address, async () => {
          const found = await placed(address);
          const { record, details, folder, name, database } = found;
          operation.signal.throwIfAborted();
          if (await settleRestore(folder, name, clock)) await places.run(address);
          const running = (await findServer(folder)) !== undefined;
          const programs = await places.programsFor(details);
          const endpoint = await places.endpointOf(record.id, details);
          const { user } = places;
          const spec = { name, database, folder, programs, user, endpoint, settings: settingsOf(details), clock, random };
          try {
            const { recoveredTo, backup } = await restoreDatabase(spec, to, operation);
            operation.progress('starting the restored server');
            await bringUp(address, found);
            return { backup, ...(recoveredTo !== undefined && { recoveredTo }) };
          } catch (error) {
            if (running) await bringUp(address, found);
            throw error;
          }
        }),
      ),

    wasRestored: async (address, operation) => {
      const found = await places.find(address);
      return found !== undefined && (await readTimelines(found.folder, found.name)).some(({ restore }) => restore === operation);
    },

    observe: (address) =>
      within(address, 'observe', async () => {
        const { record, details, folder } = await placed(address);
        if (!(await findServer(folder))) return undefined;
        const archive = await archiveState(await places.endpointOf(record.id, details));
        return {
          usedBytes: await diskUse(dataFolder(folder)),
          storageBytes: (details.declared?.storageGb ?? 0) * 2 ** 30,
          ...(archive.failing && {
            archiveFailure: {
              since: archive.lastArchivedAt ?? archive.lastFailedAt ?? time(clock.now()),
              reason: `segment ${archive.lastFailed ?? ''} could not be archived`,
            },
          }),
        };
      }),
  };
  return keeper;
}

/** As the provider does: what the system threw becomes an error of the catalogue. */
async function within<Value>(address: Address, action: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw sluiceError('local_failure', { address, action, reason }, { cause: error });
  }
}

async function sourceOf({ folder, name }: PlacedDatabase): Promise<RecoverySource> {
  return {
    manifests: await readManifests(folder),
    timelines: await readTimelines(folder, name),
    segments: await availableSegments(folder),
  };
}

function shown({ id, startedAt, stoppedAt, bytes }: Manifest): Backup {
  return { id, startedAt, stoppedAt, bytes };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function rfc3339(text: string): string {
  return `${text.replace(' ', 'T').slice(0, -3)}Z`;
}
