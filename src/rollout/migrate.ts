import type { CreateRequest, Operation } from '../providers/provider.ts';
import { recordedFiles } from '../release/difference/release-files.ts';
import { migrationsOf, waitingContracts } from '../release/migrations/migration-set.ts';
import { declaredPath } from '../release/release-content.ts';
import type { ReleaseRecords } from '../release/release-records.ts';
import type { Release } from '../release/release.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { migratedDatabases } from './migration-check.ts';
import type { Migrations } from './migrations.ts';

interface MigrationPorts {
  readonly migrations: Migrations;
  readonly releases: Pick<ReleaseRecords, 'list'>;
}

/**
 * Brings the service's database to what a release needs, but for contract steps that would take away what another release on record
 * needs: every one on record runs, or can be started again. Resolves with those steps and the releases they wait for. Idempotent; to be
 * called before the release's first instance, and again once others have gone, with the steps that waited: it does nothing while all of
 * them still do. Throws what `Migrations.run` throws.
 */
export async function migrate(
  request: CreateRequest,
  release: Release,
  { signal, progress }: Pick<Operation, 'signal' | 'progress'>,
  { migrations, releases }: MigrationPorts,
  waitedBefore?: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const fields = request.declared as unknown as ServiceFields;
  if (declaredPath(fields, 'migrations') === undefined) return new Map();
  const set = migrationsOf((await recordedFiles(release.directory, ['migrations'])).migrations);
  const waiting = waitingContracts(set.migrations, await others(request, release, releases));
  if (waitedBefore !== undefined && waiting.size === waitedBefore.size) return waiting;
  await migrations.run({
    url: urlOf(request, fields),
    service: request.name,
    migrations: set.migrations,
    waiting: new Set(waiting.keys()),
    signal,
    progress: (line) => progress(line),
  });
  return waiting;
}

/** What is told of contract steps that wait. */
export function waitingInWords(waiting: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return Array.from(waiting, ([name, needing]) => `migration ${name} waits while ${needing.join(', ')} may be started again`);
}

async function others(request: CreateRequest, release: Release, releases: Pick<ReleaseRecords, 'list'>) {
  const recorded = await releases.list(request.environment, request.name);
  const older = recorded.filter(({ id }) => id !== release.id);
  return Promise.all(
    older.map(async ({ id, directory }) => {
      const set = migrationsOf((await recordedFiles(directory, ['migrations'])).migrations);
      return { release: id, migrations: new Set(set.migrations.map(({ name }) => name)) };
    }),
  );
}

function urlOf({ references, environment, name }: CreateRequest, fields: ServiceFields): string {
  const found = migratedDatabases(fields);
  const [database, ...more] = found;
  if (database === undefined || more.length > 0) throw sluiceError('migrations_database_unclear', { service: name, found });
  const url = references.get(`${environment}/database/${database}`)?.outputs['url'];
  if (typeof url !== 'string') throw sluiceError('migration_database_unavailable', { service: name, reason: `${database} has no URL yet` });
  return url;
}
