import { entry } from './entry.ts';

// An alias and not an interface: the declarations of the catalogue spell it out.
type InMigration = {
  readonly service: string;
  readonly migration: string;
  readonly what: string;
};

/** Errors of database migrations, in the stack and in the database. */
export const migrationErrors = {
  migration_misnamed: entry<{ service: string; migration: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, migration }) => `'${migration}' of the service '${service}' is not named like a migration.`,
    help: () =>
      'Name it NUMBER_what_it_does.PHASE.sql, such as 002_fill_locale.migrate.sql; the phase is expand (adds), migrate (moves data) or contract (takes away).',
  }),
  migration_unreadable: entry<{ service: string; migration: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, migration }) => `The migration '${migration}' of the service '${service}' is no UTF-8 text of at most 256 KiB.`,
    help: () => 'Save it as UTF-8, and move rows of data in several files; all migrations together may have 16 MiB.',
  }),
  migration_ambiguous: entry<{ service: string; migrations: readonly string[] }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, migrations }) => `Migrations of the service '${service}' share a number: ${migrations.join(', ')}.`,
    help: () => 'Their order has to be clear: give each a number of its own.',
  }),
  migration_syntax: entry<InMigration>({
    status: 422,
    retry: 'terminal',
    message: ({ service, migration, what }) =>
      `The migration ${migration} of the service '${service}' is not SQL that PostgreSQL takes: ${what}.`,
    help: () => 'Correct the statement; commands of psql are none, and a file without any statement has to go.',
  }),
  migration_not_transactional: entry<InMigration>({
    status: 422,
    retry: 'terminal',
    message: ({ service, migration, what }) =>
      `The migration ${migration} of the service '${service}' cannot run in one transaction because of ${what}.`,
    help: () =>
      'A migration is taken back whole when it fails: leave this out, or do it by hand. CREATE INDEX CONCURRENTLY is taken where it is all of its file.',
  }),
  migration_destructive: entry<InMigration>({
    status: 422,
    retry: 'terminal',
    message: ({ service, migration, what }) =>
      `The migration ${migration} of the service '${service}' takes away or narrows what older releases rely on: ${what}.`,
    help: () => 'Put it into a file ending in .contract.sql: that one waits until no release without it runs or is kept.',
  }),
  migration_lint: entry<InMigration & { rule: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, migration, what, rule }) => `The migration ${migration} of the service '${service}': ${what} (squawk: ${rule})`,
    help: () => 'On a small table this does not matter; on a large one requests wait for it.',
  }),
  migrations_not_linted: entry<{ service: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ service }) => `The migrations of the service '${service}' are not linted: squawk does not run on this machine.`,
    help: () => 'Destructive statements are found all the same. `npm install --include=optional` brings squawk where it exists.',
  }),
  migrations_database_unclear: entry<{ service: string; found: readonly string[] }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, found }) =>
      found.length === 0
        ? `The service '${service}' has migrations and uses the URL of no database.`
        : `The service '${service}' has migrations and uses several databases: ${found.join(', ')}.`,
    help: () => 'Say which database is meant: migrations: { path: migrations, database: NAME }.',
  }),
  migration_failed: entry<{ service: string; migration: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, migration, reason }) => `The migration ${migration} of the service '${service}' failed: ${reason}.`,
    help: () =>
      'It was taken back whole, and no instance was replaced for it. Correct the file and apply again; what ran before it is not repeated.',
  }),
  migration_rewritten: entry<{ service: string; migration: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, migration }) => `The migration ${migration} of the service '${service}' is not what ran under this name.`,
    help: () => 'A migration that has run does not change any more: bring its text back, and write another file.',
  }),
  migration_shape_gone: entry<{ service: string; migration: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, migration }) =>
      `This release of '${service}' is older than its database: the migration ${migration} took away what it may need.`,
    help: () => 'Take a release that has this migration in its folder.',
  }),
  migration_database_unavailable: entry<{ service: string; reason: string }>({
    status: 503,
    retry: 'wait',
    message: ({ service, reason }) => `The migrations of the service '${service}' cannot run now: ${reason}.`,
    help: () => 'It is tried again; `sluice status` shows how the database is.',
  }),
};
