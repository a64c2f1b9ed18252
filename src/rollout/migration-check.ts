import { join } from 'node:path';
import { containedPath } from '../effects/files.ts';
import { problem, type Problem } from '../errors/sluice-error.ts';
import { declaredFiles } from '../release/difference/release-files.ts';
import type { MigrationLinter } from '../release/migrations/lint.ts';
import { type Migration, migrationsOf } from '../release/migrations/migration-set.ts';
import { inspectMigration } from '../release/migrations/statements.ts';
import { declaredPath } from '../release/release-content.ts';
import { outputExpressions } from '../stack/interpolate.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import type { ResolvedBlock, ResolvedStack } from '../stack/stack.ts';

const codes = { syntax: 'migration_syntax', transaction: 'migration_not_transactional', destructive: 'migration_destructive' } as const;

/** What stands against a service's migrations, each finding at its line of its file. Its paths have been found to be there. */
export async function checkMigrations(block: ResolvedBlock, stack: ResolvedStack, lint: MigrationLinter): Promise<readonly Problem[]> {
  const fields = block.fields as unknown as ServiceFields;
  const path = declaredPath(fields, 'migrations');
  const folder = path === undefined ? undefined : containedPath(stack.root, path);
  if (folder === undefined) return [];
  const service = block.name;
  const here = { position: block.positionOf('migrations'), address: block.address };
  const found = migratedDatabases(fields);
  const { migrations, misnamed, unreadable, ambiguous } = migrationsOf(
    (await declaredFiles(fields, stack.root, ['migrations'])).migrations,
  );
  const problems: Problem[] = [
    // What a simulated database has run nobody could tell.
    ...(stack.environment.provider === 'simulated' ? [problem('unsupported_field', { kind: 'service', field: 'migrations' }, here)] : []),
    ...(found.length === 1 ? [] : [problem('migrations_database_unclear', { service, found }, here)]),
    ...misnamed.map((migration) => problem('migration_misnamed', { service, migration }, here)),
    ...unreadable.map((migration) => problem('migration_unreadable', { service, migration }, here)),
    ...(ambiguous.length > 0 ? [problem('migration_ambiguous', { service, migrations: ambiguous }, here)] : []),
  ];
  let isLinted = true;
  for (const migration of migrations) {
    const at = (line: number) => ({ position: { file: join(folder, migration.name), line, column: 1 }, address: block.address });
    const errors = await inspectMigration(migration);
    for (const { kind, what, line } of errors) problems.push(problem(codes[kind], { service, migration: migration.name, what }, at(line)));
    if (errors.length > 0) continue;
    const findings = await lintOf(migration, lint);
    isLinted &&= findings !== undefined;
    for (const { rule, message: what, line } of findings ?? []) {
      problems.push(problem('migration_lint', { service, migration: migration.name, what, rule }, { ...at(line), severity: 'warning' }));
    }
  }
  return isLinted ? problems : [...problems, problem('migrations_not_linted', { service }, { ...here, severity: 'note' })];
}

/** A contract step is to be looked at when it is due, not for as long as it waits. */
async function lintOf(migration: Migration, lint: MigrationLinter) {
  return migration.phase === 'contract' ? [] : lint(migration);
}

/** The database that is named, or those whose URL the service is given. */
export function migratedDatabases({ migrations, env }: ServiceFields): readonly string[] {
  if (typeof migrations === 'object') return [migrations.database];
  const read = outputExpressions(env).filter(({ kind, output }) => kind === 'database' && output === 'url');
  return [...new Set(read.map(({ name }) => name))];
}
