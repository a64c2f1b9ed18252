import { sluiceError } from '../../errors/sluice-error.ts';
import type { Migration } from './migration-set.ts';

/** A migration that has run, as the database remembers it. */
export interface JournalledMigration {
  readonly name: string;
  readonly phase: string;
  readonly digest: string;
}

/**
 * What is left to run, in its order. Throws `migration_rewritten` for a file that is not what ran under its name, and
 * `migration_shape_gone` when something was taken away that this set of migrations does not know of.
 */
export function pendingMigrations(
  service: string,
  migrations: readonly Migration[],
  waiting: ReadonlySet<string>,
  journal: readonly JournalledMigration[],
): readonly Migration[] {
  const done = new Map(journal.map((entry) => [entry.name, entry]));
  for (const { name, digest } of migrations) {
    const entry = done.get(name);
    if (entry && entry.digest !== digest) throw sluiceError('migration_rewritten', { service, migration: name });
  }
  const known = new Set(migrations.map(({ name }) => name));
  const gone = journal.find(({ name, phase }) => phase === 'contract' && !known.has(name));
  if (gone) throw sluiceError('migration_shape_gone', { service, migration: gone.name });
  return migrations.filter(({ name }) => !done.has(name) && !waiting.has(name));
}
