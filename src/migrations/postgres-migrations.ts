import pg from 'pg';
import type { Clock } from '../effects/clock.ts';
import { sluiceError, SluiceError } from '../errors/sluice-error.ts';
import { type JournalledMigration, pendingMigrations } from '../release/migrations/journal.ts';
import type { Migration } from '../release/migrations/migration-set.ts';
import { concurrentIndexOf, inspectMigration } from '../release/migrations/statements.ts';
import { buildIndex } from './concurrent-index.ts';
import type { MigrationRun, Migrations } from '../rollout/migrations.ts';

/** Any two numbers will do, as long as every control plane takes the same. One lock for a database: services may share it. */
const lockKey = [1_397_511_491, 1_296_647_122];
const lockPollMs = 200;
/** A migration that holds the lock for longer is another control plane's, and its own apply waits for it. */
const lockPatienceMs = 15 * 60_000;
export interface PostgresMigrationsDependencies {
  readonly clock: Clock;
  /** How long a statement waits for a table in use: whoever comes after it waits as well. */
  readonly tableLockTimeoutMs?: number;
}

const attempts = 5;
const pauseMs = 1_000;

const journalSchema = `
  CREATE SCHEMA IF NOT EXISTS sluice;
  CREATE TABLE IF NOT EXISTS sluice.migrations (
    service text NOT NULL,
    name text NOT NULL,
    phase text NOT NULL,
    digest text NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, name)
  );
  CREATE TABLE IF NOT EXISTS sluice.migrations_begun (service text NOT NULL, name text NOT NULL, PRIMARY KEY (service, name));
`;

/** Migrations of PostgreSQL databases, journalled in their table `sluice.migrations`. */
export function createPostgresMigrations({ clock, tableLockTimeoutMs = 3_000 }: PostgresMigrationsDependencies): Migrations {
  return {
    async run(request) {
      if (request.migrations.length === 0) return [];
      const client = await connected(request);
      const abandon = (): void => void client.end().catch(() => undefined);
      request.signal.addEventListener('abort', abandon, { once: true });
      try {
        await locked(client, request, clock);
        return await runPending(client, request, { clock, tableLockTimeoutMs });
      } catch (error) {
        throw asSluiceError(error, request);
      } finally {
        request.signal.removeEventListener('abort', abandon);
        // The end of the session is the end of its lock.
        await client.end().catch(() => undefined);
      }
    },
  };
}

async function connected({ url, service }: MigrationRun): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, application_name: 'sluice migrations' });
  // A connection that breaks is reported by the query in progress.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await settle(client);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw sluiceError('migration_database_unavailable', { service, reason: messageOf(error) }, { cause: error });
  }
}

/** As a file finds the session: nothing that one before it has set, but a look at whether the client is alive, as PostgreSQL 14 can. */
async function settle(client: pg.Client): Promise<void> {
  await client.query('RESET ALL');
  // A server that does not notice a dead client would keep its lock.
  await client.query('SET client_connection_check_interval = 1000').catch(() => undefined);
}

/** Tries again and again instead of waiting in the server, so that it can be called off. */
async function locked(client: pg.Client, { service, signal, progress }: MigrationRun, clock: Clock): Promise<void> {
  const until = clock.now() + lockPatienceMs;
  for (let isTold = false; ; ) {
    const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS free', lockKey);
    if (rows[0]?.free === true) return;
    if (!isTold) progress('waiting for another migration of the same database');
    isTold = true;
    if (clock.now() > until) {
      throw sluiceError('migration_database_unavailable', { service, reason: 'another migration holds the lock of the database' });
    }
    await clock.sleep(lockPollMs, signal);
  }
}

async function runPending(client: pg.Client, request: MigrationRun, pace: Pace): Promise<readonly string[]> {
  const { service, migrations, waiting, progress } = request;
  await client.query(journalSchema);
  const journal = await client.query<JournalledMigration>('SELECT name, phase, digest FROM sluice.migrations WHERE service = $1', [
    service,
  ]);
  const pending = pendingMigrations(service, migrations, waiting, journal.rows);
  for (const migration of pending) {
    const [finding] = await inspectMigration(migration);
    if (finding) throw sluiceError('migration_failed', { service, migration: migration.name, reason: finding.what });
  }
  for (const migration of pending) {
    progress(`migration ${migration.name}`);
    await runOne(client, request, migration, pace);
  }
  return pending.map(({ name }) => name);
}

type Pace = Required<PostgresMigrationsDependencies>;

/** The file and its line in the journal in one transaction; again after a pause when a table was in use for too long. */
async function runOne(
  client: pg.Client,
  { service, signal }: MigrationRun,
  migration: Migration,
  { clock, tableLockTimeoutMs }: Pace,
): Promise<void> {
  const index = await concurrentIndexOf(migration.sql);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await settle(client);
      if (index) await buildIndex(client, { service, migration: migration.name, sql: migration.sql, index });
      await client.query('BEGIN');
      await client.query(`SET LOCAL lock_timeout = ${tableLockTimeoutMs}`);
      if (!index) await client.query(migration.sql);
      // The journal is not the file's.
      await client.query('RESET SESSION AUTHORIZATION; RESET ROLE');
      await client.query('INSERT INTO sluice.migrations (service, name, phase, digest) VALUES ($1, $2, $3, $4)', [
        service,
        migration.name,
        migration.phase,
        migration.digest,
      ]);
      if (index) await client.query('DELETE FROM sluice.migrations_begun WHERE service = $1 AND name = $2', [service, migration.name]);
      await client.query('COMMIT');
      return;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      if (sqlState(error) === '55P03' && attempt < attempts) {
        await clock.sleep(pauseMs, signal);
        continue;
      }
      if (isGone(error)) throw error;
      throw sluiceError(
        'migration_failed',
        { service, migration: migration.name, reason: reasonOf(error, migration.sql) },
        { cause: error },
      );
    }
  }
}

function asSluiceError(error: unknown, { service, signal }: MigrationRun): SluiceError {
  if (error instanceof SluiceError) return error;
  const reason = signal.aborted ? 'it was called off' : messageOf(error);
  return sluiceError('migration_database_unavailable', { service, reason }, { cause: error });
}

/** What PostgreSQL says, with the line it means. */
function reasonOf(error: unknown, sql: string): string {
  const { position, detail } = error as { position?: string; detail?: string };
  const line = position === undefined ? '' : ` (line ${sql.slice(0, Number(position)).split('\n').length})`;
  return `${messageOf(error)}${line}${detail === undefined ? '' : `: ${detail}`}`.replace(/\.$/, '');
}

function sqlState(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Errors of the network have no SQLSTATE; class 08 and 57P0x mean that the server is going or gone. */
function isGone(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || /^(?:08\w{3}|57P0[123]|E[A-Z]+)$/.test(state);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
