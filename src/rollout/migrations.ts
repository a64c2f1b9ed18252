import type { Migration } from '../release/migrations/migration-set.ts';

/** What a service's database has to be brought to. */
export interface MigrationRun {
  /** Holds a password: for use at once, never for storage or messages. */
  readonly url: string;
  /** Name of the service: whose migrations these are, in a database that several may share. */
  readonly service: string;
  /** All of the release, in their order. */
  readonly migrations: readonly Migration[];
  /** Names of the contract steps whose time has not come. */
  readonly waiting: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

/**
 * Changes databases, each by a journal that it holds itself. Every migration runs once, whoever asks and however often: a file and its
 * line in the journal are one transaction, and one at a time changes a database. A file that fails leaves nothing of itself and ends the
 * run; those before it are done and stay.
 */
export interface Migrations {
  /**
   * Runs what has not run and does not wait; resolves with the names of what it ran. Throws `migration_failed`, `migration_rewritten` (a
   * file is not what ran), `migration_shape_gone` (a contract step has run that the release does not know of), and
   * `migration_database_unavailable`, which waiting may change.
   */
  run(request: MigrationRun): Promise<readonly string[]>;
}
