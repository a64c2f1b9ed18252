import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../effects/clock.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { BackupSummary, DurableStore } from '../store/durable-store.ts';
import { openPostgresStore } from '../store/postgres-store.ts';
import { finishRestore, moveAside, type Restored, restoreIntoPostgres, stageRestore } from '../store/restore.ts';
import { backupName, backupsOf, schemaVersion } from '../store/sqlite-schema.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { openHome, type HomePaths } from './home.ts';
import { lockHome } from './home-lock.ts';
import { chooseStore, parseStore, rememberedStore, rememberStore } from './store-choice.ts';

export interface HomeStoreRequest {
  readonly paths: HomePaths;
  /** `sqlite` or a URL; what the home remembers when absent. */
  readonly wanted: string | undefined;
  readonly clock: Clock;
}

/** Opens the state of a home, whose lock the caller holds, and remembers where it is. A restore that was cut short is finished first. */
export async function openHomeStore({ paths, wanted, clock }: HomeStoreRequest): Promise<DurableStore> {
  finishRestore(paths.state);
  const choice = await chooseStore(paths, wanted);
  const evidence = evidenceOfState(paths);
  if (choice.kind === 'sqlite') return openSqliteStore({ path: paths.state, evidence, clock });
  const store = await openPostgresStore({
    url: choice.url,
    clock,
    evidence: evidence.find((file) => existsSync(file)),
    backups: backupsOf(paths.state),
  });
  await rememberStore(paths, choice.url);
  return store;
}

/** Each is made only once there is a state. */
function evidenceOfState({ home, stateKey }: HomePaths): readonly string[] {
  const folders = ['releases', 'instances', 'machines', 'databases', 'caches'];
  return [stateKey, join(home, 'gateway', 'table.json'), ...folders.map((folder) => join(home, folder))];
}

/** A backup under a name made of schema and time, in the folder for backups. */
export async function backUpInto(paths: HomePaths, store: DurableStore, clock: Clock): Promise<BackupSummary> {
  return store.backup(join(paths.backups, backupName(schemaVersion, clock.now())));
}

/** A backup of a home that no control plane serves. Throws `home_in_use` when one does, `nothing_to_back_up` when it has no state. */
export async function backUpHome({ home, clock }: { readonly home: string; readonly clock: Clock }): Promise<BackupSummary> {
  return withLockedHome(home, async (paths) => {
    finishRestore(paths.state);
    if ((await rememberedStore(paths)) === undefined && !evidenceOfState(paths).some((file) => existsSync(file))) {
      throw sluiceError('nothing_to_back_up', { home });
    }
    const store = await openHomeStore({ paths, wanted: undefined, clock });
    try {
      return await backUpInto(paths, store, clock);
    } finally {
      await store.close();
    }
  });
}

/**
 * Puts a backup in the place of the state of a home that no control plane serves, all or nothing; what it replaces is kept in the folder
 * for backups. With `wanted` the state moves there. Throws `home_in_use`, `backup_unusable`, `store_in_use`.
 */
export async function restoreHome(request: {
  readonly home: string;
  readonly file: string;
  readonly wanted: string | undefined;
  /** Like --store of any other command: has to be what the home remembers, and decides for a home without a state. */
  readonly given?: string | undefined;
  readonly clock: Clock;
}): Promise<Restored & { readonly store: string }> {
  const { home, file, wanted, given, clock } = request;
  return withLockedHome(home, async (paths) => {
    const choice = wanted === undefined ? await chooseStore(paths, given) : parseStore(paths, wanted);
    if (choice.kind === 'postgres') {
      const restored = await restoreIntoPostgres(file, choice.url, paths.backups, clock.now());
      await rememberStore(paths, choice.url);
      const replaced = moveAside(paths.state, clock.now()) ?? restored.replaced;
      return { ...restored, ...(replaced !== undefined && { replaced }), store: choice.shown };
    }
    const summary = await stageRestore(file, paths.state);
    const replaced = finishRestore(paths.state);
    await rm(paths.storeUrl, { force: true });
    return { ...summary, file, ...(replaced !== undefined && { replaced }), store: choice.shown };
  });
}

async function withLockedHome<Value>(home: string, work: (paths: HomePaths) => Promise<Value>): Promise<Value> {
  const paths = await openHome(home);
  const lock = await lockHome(paths);
  try {
    return await work(paths);
  } finally {
    lock.release();
  }
}
