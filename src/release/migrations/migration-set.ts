import type { Digest } from '../../digest/digest.ts';
import type { ReleaseFile } from '../difference/release-files.ts';
import { type MigrationPhase, readMigrationName } from './migration-name.ts';

/** One file of a service's folder of migrations. Immutable once it has run: its digest is in the database's journal. */
export interface Migration {
  readonly name: string;
  readonly order: number;
  readonly phase: MigrationPhase;
  readonly sql: string;
  readonly digest: Digest;
}

export interface MigrationSet {
  /** In the order they run. */
  readonly migrations: readonly Migration[];
  /** Files ending in `.sql` that are not named like a migration. */
  readonly misnamed: readonly string[];
  /** Files that are named like one and are no text, or too much of it. */
  readonly unreadable: readonly string[];
  /** Names that share a number with another one. */
  readonly ambiguous: readonly string[];
}

/** The migrations among the files of a release's part `migrations`; what does not end in `.sql` is none. */
export function migrationsOf(files: readonly ReleaseFile[] = []): MigrationSet {
  const migrations: Migration[] = [];
  const misnamed: string[] = [];
  const unreadable: string[] = [];
  for (const { path, digest, text } of files) {
    const name = path.replace(/^migrations\//, '');
    if (!name.endsWith('.sql')) continue;
    const read = readMigrationName(name);
    if (read === undefined) misnamed.push(name);
    else if (text === undefined) unreadable.push(name);
    else migrations.push({ name, ...read, sql: text, digest });
  }
  migrations.sort((one, other) => one.order - other.order || one.name.localeCompare(other.name));
  const ambiguous = migrations.filter(
    ({ order }, index) => migrations[index - 1]?.order === order || migrations[index + 1]?.order === order,
  );
  return { migrations, misnamed, unreadable, ambiguous: ambiguous.map(({ name }) => name) };
}

/**
 * The contract steps that have to wait, with the releases that need what they take away: those that do not bring the step themselves,
 * and so were made before it. `others` are the releases that run or may be run again, with the names of their migrations.
 */
export function waitingContracts(
  migrations: readonly Migration[],
  others: readonly { readonly release: string; readonly migrations: ReadonlySet<string> }[],
): ReadonlyMap<string, readonly string[]> {
  const waiting = new Map<string, readonly string[]>();
  for (const { name, phase } of migrations) {
    if (phase !== 'contract') continue;
    const needing = others.filter((other) => !other.migrations.has(name)).map(({ release }) => release);
    if (needing.length > 0) waiting.set(name, needing);
  }
  return waiting;
}
