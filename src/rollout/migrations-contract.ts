import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Migration, migrationsOf } from '../release/migrations/migration-set.ts';
import type { MigrationRun, Migrations } from './migrations.ts';

export interface MigrationsUnderTest {
  readonly migrations: Migrations;
  /** URL of a database of its own, empty. */
  emptyDatabase(): Promise<string>;
  /** Names of what has run, in its order. */
  journalOf(url: string): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

/** Migrations by name and text; the text decides the digest. */
function migrationsFrom(texts: Readonly<Record<string, string>>): readonly Migration[] {
  const files = Object.entries(texts).map(([name, text]) => ({ path: `migrations/${name}`, text, digest: `sha256:${text}` as const }));
  return migrationsOf(files).migrations;
}

export function migrationRun(url: string, texts: Readonly<Record<string, string>>, more: Partial<MigrationRun> = {}): MigrationRun {
  const defaults = { waiting: new Set<string>(), signal: new AbortController().signal, progress: () => undefined };
  return { url, service: 'agent', migrations: migrationsFrom(texts), ...defaults, ...more };
}

const first = { '1_a.expand.sql': 'CREATE TABLE a (x int);' };
const second = { ...first, '2_b.migrate.sql': 'INSERT INTO a VALUES (1);', '3_c.contract.sql': 'DROP TABLE a;' };

/** What every adapter of `Migrations` keeps to. */
export function describeMigrationsContract(name: string, create: () => Promise<MigrationsUnderTest>): void {
  describe(`migrations: ${name}`, () => {
    let under: MigrationsUnderTest;
    beforeAll(async () => {
      under = await create();
    });
    afterAll(async () => {
      await under.dispose();
    });

    it('runs what has not run, in its order, once', async () => {
      const url = await under.emptyDatabase();
      const lines: string[] = [];
      const progress = (line: string): number => lines.push(line);
      expect(await under.migrations.run(migrationRun(url, first, { progress }))).toEqual(['1_a.expand.sql']);
      expect(await under.migrations.run(migrationRun(url, second))).toEqual(['2_b.migrate.sql', '3_c.contract.sql']);
      expect(await under.migrations.run(migrationRun(url, second, { progress }))).toEqual([]);
      expect(await under.journalOf(url)).toEqual(['1_a.expand.sql', '2_b.migrate.sql', '3_c.contract.sql']);
      expect(lines).toEqual(['migration 1_a.expand.sql']);
    });

    it('leaves a step alone for as long as it waits, also when later ones run', async () => {
      const url = await under.emptyDatabase();
      const all = { ...second, '4_d.expand.sql': 'CREATE TABLE d (x int);' };
      const waiting = new Set(['3_c.contract.sql']);
      expect(await under.migrations.run(migrationRun(url, all, { waiting }))).toHaveLength(3);
      expect(await under.migrations.run(migrationRun(url, all, { waiting }))).toEqual([]);
      expect(await under.migrations.run(migrationRun(url, all))).toEqual(['3_c.contract.sql']);
    });

    it('keeps the journals of two services in one database apart', async () => {
      const url = await under.emptyDatabase();
      await under.migrations.run(migrationRun(url, first));
      expect(
        await under.migrations.run(migrationRun(url, { '1_a.expand.sql': 'CREATE TABLE other (x int);' }, { service: 'other' })),
      ).toEqual(['1_a.expand.sql']);
    });

    it('stops at one that fails, and goes on there when it is corrected', async () => {
      const url = await under.emptyDatabase();
      const broken = { ...first, '2_b.migrate.sql': "INSERT INTO a VALUES ('fail');", '3_c.expand.sql': 'CREATE TABLE c (x int);' };
      await expect(under.migrations.run(migrationRun(url, broken))).rejects.toMatchObject({
        code: 'migration_failed',
        message: expect.stringContaining('2_b.migrate.sql'),
      });
      expect(await under.journalOf(url)).toEqual(['1_a.expand.sql']);
      const corrected = { ...broken, '2_b.migrate.sql': 'INSERT INTO a VALUES (1);' };
      expect(await under.migrations.run(migrationRun(url, corrected))).toEqual(['2_b.migrate.sql', '3_c.expand.sql']);
    });

    it('refuses a file that is not what ran, and a release that does not know what was taken away', async () => {
      const url = await under.emptyDatabase();
      await under.migrations.run(migrationRun(url, second));
      const rewritten = { ...second, '1_a.expand.sql': 'CREATE TABLE a (x bigint);' };
      await expect(under.migrations.run(migrationRun(url, rewritten))).rejects.toMatchObject({ code: 'migration_rewritten' });
      await expect(under.migrations.run(migrationRun(url, first))).rejects.toMatchObject({ code: 'migration_shape_gone' });
    });
  });
}
