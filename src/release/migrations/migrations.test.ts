import { expect, test } from 'vitest';
import { createMigrationLinter } from './lint.ts';
import type { MigrationPhase } from './migration-name.ts';
import { migrationsOf, waitingContracts } from './migration-set.ts';
import { inspectMigration } from './statements.ts';

const file = (name: string, text: string | undefined = 'SELECT 1;') => ({
  path: `migrations/${name}`,
  digest: 'sha256:1' as const,
  ...(text !== undefined && { text }),
});

test('migrations run by their numbers, and what is misnamed or shares a number is told', () => {
  const set = migrationsOf([
    file('10_drop.contract.sql'),
    file('9-fill.migrate.sql'),
    file('001_add.expand.sql'),
    file('01_also.expand.sql'),
    file('README.md'),
    file('02_forgotten.sql'),
    { path: 'migrations/11_binary.migrate.sql', digest: 'sha256:1' },
    file('deep/03_a.expand.sql'),
  ]);
  expect(set.migrations.map(({ name, phase }) => [name, phase])).toEqual([
    ['001_add.expand.sql', 'expand'],
    ['01_also.expand.sql', 'expand'],
    ['9-fill.migrate.sql', 'migrate'],
    ['10_drop.contract.sql', 'contract'],
  ]);
  expect(set).toMatchObject({
    misnamed: ['02_forgotten.sql', 'deep/03_a.expand.sql'],
    unreadable: ['11_binary.migrate.sql'],
    ambiguous: ['001_add.expand.sql', '01_also.expand.sql'],
  });
});

test('a contract step waits for every release that does not bring it', () => {
  const { migrations } = migrationsOf([file('1_add.expand.sql'), file('2_drop.contract.sql')]);
  const old = { release: 'r-old', migrations: new Set(['1_add.expand.sql']) };
  const brings = { release: 'r-new', migrations: new Set(['1_add.expand.sql', '2_drop.contract.sql']) };
  expect([...waitingContracts(migrations, [old, brings])]).toEqual([['2_drop.contract.sql', ['r-old']]]);
  expect(waitingContracts(migrations, [brings]).size + waitingContracts(migrations, []).size).toBe(0);
});

const statements: readonly [string, MigrationPhase, string[]][] = [
  ['ALTER TABLE t ADD COLUMN locale text;', 'expand', []],
  ["ALTER TABLE t ADD COLUMN locale text NOT NULL DEFAULT 'en';", 'expand', []],
  ['ALTER TABLE t ADD COLUMN locale text NOT NULL;', 'expand', ['destructive ADD COLUMN locale NOT NULL without a default']],
  ['CREATE TABLE n (a int); ALTER TABLE n ALTER a SET NOT NULL; ALTER TABLE n ADD CHECK (a > 0); CREATE INDEX i ON n (a);', 'expand', []],
  ['ALTER TABLE t ALTER a SET NOT NULL;', 'expand', ['destructive SET NOT NULL on a']],
  [
    'ALTER TABLE t ALTER a TYPE bigint, ALTER b DROP DEFAULT;',
    'migrate',
    ['destructive another type of the column a', 'destructive DROP DEFAULT of b'],
  ],
  ['ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0);', 'expand', ['destructive ADD CONSTRAINT positive']],
  ['ALTER TABLE t DROP COLUMN a;', 'expand', ['destructive DROP COLUMN a']],
  ['ALTER TABLE t DROP COLUMN a; DROP TABLE o;', 'contract', []],
  [
    'DROP TABLE o; DROP INDEX i; DROP VIEW v; TRUNCATE t;',
    'expand',
    ['destructive DROP TABLE', 'destructive DROP VIEW', 'destructive TRUNCATE'],
  ],
  ['ALTER TABLE t RENAME a TO b;', 'expand', ['destructive RENAME COLUMN']],
  ['UPDATE t SET a = 1; DELETE FROM t WHERE a = 2;', 'migrate', []],
  ['DELETE FROM t;', 'expand', ['destructive DELETE']],
  ['BEGIN; SELECT 1; COMMIT;', 'contract', ['transaction BEGIN, COMMIT and the like', 'transaction BEGIN, COMMIT and the like']],
  ['CREATE INDEX CONCURRENTLY i ON t (a);', 'expand', []],
  ['CREATE INDEX CONCURRENTLY ON t (a);', 'expand', ['transaction CREATE INDEX CONCURRENTLY without a name']],
  ['SELECT 1; CREATE INDEX CONCURRENTLY i ON t (a);', 'expand', ['transaction CREATE INDEX CONCURRENTLY beside other statements']],
  ['CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);', 'migrate', ['destructive CREATE UNIQUE INDEX i']],
  ["REVOKE SELECT ON t FROM r; ALTER TYPE e ADD VALUE 'x';", 'expand', ['destructive REVOKE']],
  ['CREATE UNIQUE INDEX i ON t (a);', 'expand', ['destructive CREATE UNIQUE INDEX i']],
  ['CREATE TABLE n (a int); CREATE UNIQUE INDEX i ON n (a); CREATE INDEX j ON t (a);', 'expand', []],
  ['CREATE TEMP TABLE n (a int); CREATE TABLE o AS SELECT 1; DROP TABLE n, o;', 'migrate', []],
  ['CREATE TEMP TABLE n (a int); DROP TABLE n, t;', 'migrate', ['destructive DROP TABLE']],
  ['CREATE TABLE IF NOT EXISTS t (a int); ALTER TABLE t DROP COLUMN a;', 'expand', ['destructive DROP COLUMN a']],
  ['CREATE TABLE other.t (a int); ALTER TABLE t DROP COLUMN a;', 'expand', ['destructive DROP COLUMN a']],
  ['ALTER TABLE t ENABLE ROW LEVEL SECURITY;', 'expand', ['destructive ENABLE ROW LEVEL SECURITY']],
  ['ALTER DOMAIN d SET NOT NULL; ALTER DOMAIN d DROP NOT NULL;', 'expand', ['destructive SET NOT NULL on the domain d']],
  ['SELEC 1;', 'expand', ['syntax syntax error at or near "SELEC"']],
];

test.each(statements)('%s as %s', async (sql, phase, expected) => {
  expect((await inspectMigration({ sql, phase })).map(({ kind, what }) => `${kind} ${what}`)).toEqual(expected);
});

test('a finding has its line, comments and other letters before it or not', async () => {
  const sql = "-- adds käse\nSELECT 'ä';\n\n/* old */\n-- goes\nDROP TABLE o;\n";
  expect(await inspectMigration({ sql, phase: 'expand' })).toEqual([{ kind: 'destructive', what: 'DROP TABLE', line: 6 }]);
  expect(await inspectMigration({ sql: 'SELECT 1;\nSELEC 2;', phase: 'expand' })).toMatchObject([{ line: 2 }]);
});

test('squawk warns of what locks or scans a large table, and not of what is seen to anyway', async () => {
  const lint = createMigrationLinter();
  const sql = 'ALTER TABLE t ADD COLUMN a int;\nALTER TABLE t ADD CONSTRAINT x CHECK (a > 0);\nDROP TABLE o;\n';
  expect(await lint({ sql, digest: 'sha256:1' })).toMatchObject([{ rule: 'constraint-missing-not-valid', line: 2 }]);
  expect(await lint({ sql: 'SELECT 1;', digest: 'sha256:2' })).toEqual([]);
  expect(await lint({ sql: 'CREATE INDEX i ON t (a);', digest: 'sha256:3' })).toMatchObject([
    { rule: 'require-concurrent-index-creation' },
  ]);
  expect(await lint({ sql: 'CREATE INDEX CONCURRENTLY i ON t (a);', digest: 'sha256:4' })).toEqual([]);
});
