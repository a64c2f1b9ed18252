import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { z } from 'zod';
import type { Digest } from '../../digest/digest.ts';
import type { Migration } from './migration-set.ts';
import { concurrentIndexOf } from './statements.ts';

interface LintFinding {
  readonly rule: string;
  readonly message: string;
  /** From 1. */
  readonly line: number;
}

/**
 * Rules of squawk that say nothing here: a lock timeout is always set, a migration runs once, what is destructive
 * is found by the parser and waits, and the width of numbers is a matter of taste.
 */
const silenced = [
  'require-lock-timeout',
  'require-statement-timeout',
  'prefer-robust-stmts',
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
  'prefer-identity',
  'prefer-text-field',
  'prefer-timestamp-tz',
  'ban-drop-column',
  'ban-drop-table',
  'ban-drop-database',
  'ban-drop-not-null',
  'renaming-column',
  'renaming-table',
  'changing-column-type',
  'adding-required-field',
  'require-concurrent-index-deletion',
];

const findings = z.array(z.object({ rule_name: z.string(), message: z.string(), line: z.number() }));
const timeoutMs = 10_000;
const mostKept = 1_000;

/** Undefined where the linter does not run: npm has no program of it for this machine. */
export type MigrationLinter = (migration: Pick<Migration, 'sql' | 'digest'>) => Promise<readonly LintFinding[] | undefined>;

/** Asks squawk, once for every text, what locks and scans a migration of a large table may suffer from. */
export function createMigrationLinter(): MigrationLinter {
  const known = new Map<Digest, readonly LintFinding[]>();
  return async ({ sql, digest }) => {
    const earlier = known.get(digest);
    if (earlier) return earlier;
    const isAlone = (await concurrentIndexOf(sql)) !== undefined;
    const output = await squawk(sql, isAlone ? [] : ['--assume-in-transaction']);
    if (output === undefined) return undefined;
    const found = output.map(({ rule_name: rule, message, line }) => ({ rule, message, line: line + 1 }));
    if (known.size >= mostKept) known.clear();
    known.set(digest, found);
    return found;
  };
}

/** Ends with 1 when it has found something. */
function squawk(sql: string, more: readonly string[]): Promise<z.output<typeof findings> | undefined> {
  return new Promise((resolve) => {
    try {
      const child = execFile(
        programPath(),
        ['--reporter', 'json', ...more, `--exclude=${silenced.join(',')}`, '--stdin-filepath', 'migration.sql'],
        // Not where somebody may have left a `.squawk.toml`.
        { cwd: '/', timeout: timeoutMs, maxBuffer: 4 * 1024 * 1024, env: {} },
        (_, output) => resolve(readFindings(output)),
      );
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(sql);
    } catch {
      resolve(undefined);
    }
  });
}

/** Of the package for this machine, which npm installs beside squawk-cli; throws where there is none. */
function programPath(): string {
  const near = createRequire(createRequire(import.meta.url).resolve('squawk-cli/package.json'));
  return near.resolve(`@squawk-cli/${process.platform}-${process.arch}/bin/squawk`);
}

function readFindings(output: string): z.output<typeof findings> | undefined {
  try {
    return findings.safeParse(JSON.parse(output)).data;
  } catch {
    return undefined;
  }
}
