import type { Store } from './store.ts';

/** A store that outlives its process and can be copied while it is used. */
export interface DurableStore extends Store {
  /**
   * Writes a complete copy as it is at one moment to `path`, in one step: the file is whole or not there. Always a SQLite file of the
   * newest schema, whatever the store itself is, so that every store can be restored from it. Throws `backup_exists`.
   */
  backup(path: string): Promise<BackupSummary>;
}

export interface BackupSummary {
  readonly file: string;
  readonly bytes: number;
  readonly schema: number;
  readonly documents: number;
  /** In all logs together. */
  readonly entries: number;
}
