import { sluiceError } from '../../errors/sluice-error.ts';
import { type JournalledMigration, pendingMigrations } from '../../release/migrations/journal.ts';
import type { Migrations } from '../migrations.ts';

export interface MemoryMigrations extends Migrations {
  /** What ran in the database of this URL, in its order. */
  journalOf(url: string): readonly string[];
}

/** Databases that remember what ran and execute nothing. Text that holds `fail` fails. */
export function createMemoryMigrations(): MemoryMigrations {
  const journals = new Map<string, Map<string, JournalledMigration[]>>();
  return {
    journalOf: (url) => [...(journals.get(url) ?? new Map<string, JournalledMigration[]>()).values()].flat().map(({ name }) => name),
    run({ url, service, migrations, waiting, progress }) {
      const ofDatabase = journals.get(url) ?? new Map<string, JournalledMigration[]>();
      journals.set(url, ofDatabase);
      const journal = ofDatabase.get(service) ?? [];
      ofDatabase.set(service, journal);
      return new Promise((resolve) => {
        const pending = pendingMigrations(service, migrations, waiting, journal);
        for (const { name, phase, digest, sql } of pending) {
          if (sql.includes('fail')) throw sluiceError('migration_failed', { service, migration: name, reason: 'it says so' });
          progress(`migration ${name}`);
          journal.push({ name, phase, digest });
        }
        resolve(pending.map(({ name }) => name));
      });
    },
  };
}
