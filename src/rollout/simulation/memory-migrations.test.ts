import { describeMigrationsContract } from '../migrations-contract.ts';
import { createMemoryMigrations } from './memory-migrations.ts';

describeMigrationsContract('memory', () => {
  const migrations = createMemoryMigrations();
  let databases = 0;
  return Promise.resolve({
    migrations,
    emptyDatabase: () => {
      databases += 1;
      return Promise.resolve(`postgres://localhost/${databases}`);
    },
    journalOf: (url) => Promise.resolve(migrations.journalOf(url)),
    dispose: () => Promise.resolve(),
  });
});
