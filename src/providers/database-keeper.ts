import type { Address } from '../stack/stack.ts';
import type { Operation } from './provider.ts';

/**
 * Looks after databases between applies: backups, restores, and how they are. Every method throws only SluiceErrors, `unknown_resource`
 * for a database that it does not keep. Backups and restores of one database, and what the provider does with it, wait for each other.
 */
export interface DatabaseKeeper {
  /** Databases that have been made. */
  list(): Promise<readonly Address[]>;
  /** A base backup now. Throws `database_backups_off`, `database_not_running`, `database_backup_failed`. */
  backup(address: Address, operation: Operation): Promise<Backup>;
  backups(address: Address): Promise<Backups>;
  /** Milliseconds since the epoch from which on a scheduled backup is wanted; undefined when none is. */
  backupDue(address: Address): Promise<number | undefined>;
  /** Removes what is older than is kept. */
  prune(address: Address): Promise<{ readonly backups: number; readonly segments: number }>;
  /** What `restore` would do; throws what would keep it from that. `to` is a time of RFC 3339, or `latest`. Changes nothing. */
  planRestore(address: Address, to: string): Promise<RestorePlan>;
  /**
   * Takes the database back to what it held at a time: everything committed until then, and exactly then. It keeps its host, port, role,
   * password and name. Cut short at any moment it is the old database or the new one, never a part; `resume` of the provider decides.
   */
  restore(address: Address, to: string, operation: Operation): Promise<RestoreResult>;
  /** Whether the restore of this operation came to its end, also when that was after a crash. */
  wasRestored(address: Address, operation: string): Promise<boolean>;
  /** Undefined while the server does not run. */
  observe(address: Address): Promise<DatabaseCondition | undefined>;
}

export interface Backup {
  readonly id: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** The first time that can be restored with it. */
  readonly stoppedAt: string;
  readonly bytes: number;
}

interface Backups {
  readonly retentionDays: number;
  /** Oldest first. */
  readonly items: readonly Backup[];
  /** Stretches of time that can be restored, oldest first; one without `to` reaches to the present. */
  readonly restorable: readonly { readonly from: string; readonly to?: string }[];
  /** Folders of data that a restore took out of use, with the time it did. */
  readonly replaced: readonly { readonly folder: string; readonly at: string }[];
}

interface RestorePlan {
  /** RFC 3339 with microseconds, UTC. */
  readonly to: string;
  readonly backup: Backup;
  /** Segments of the write-ahead log to replay, 16 MiB each. */
  readonly segments: number;
}

interface RestoreResult {
  /** The last transaction that is part of it; absent when there was none after the base backup. */
  readonly recoveredTo?: string;
  readonly backup: string;
}

export interface DatabaseCondition {
  /** What its data takes up on disk, log included. */
  readonly usedBytes: number;
  /** As declared by `storage_gb`. */
  readonly storageBytes: number;
  /** Set while finished segments of the log cannot be archived. */
  readonly archiveFailure?: { readonly since: string; readonly reason: string };
}
