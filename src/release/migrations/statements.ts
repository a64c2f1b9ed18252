import { type Node, parse, SqlError } from 'libpg-query';
import type { Migration } from './migration-set.ts';

export interface StatementFinding {
  /**
   * `syntax`: PostgreSQL would not take it. `transaction`: it cannot be undone by rolling back, or ends the transaction. `destructive`: it
   * takes away or narrows what releases before it rely on, in a file that does not say `contract`.
   */
  readonly kind: 'syntax' | 'transaction' | 'destructive';
  readonly what: string;
  /** In the file, from 1. */
  readonly line: number;
}

/**
 * What stands against running a migration, by PostgreSQL's own parser. Code in functions and in `DO` blocks is text to it and is not
 * looked into.
 */
export async function inspectMigration({ sql, phase }: Pick<Migration, 'sql' | 'phase'>): Promise<readonly StatementFinding[]> {
  const parsed = await parse(sql).catch((error: unknown) => syntaxFinding(sql, error));
  if ('kind' in parsed) return [parsed];
  const bytes = Buffer.from(sql);
  const created = new Set<string>();
  const findings: StatementFinding[] = [];
  for (const { stmt, stmt_location: start = 0 } of parsed.stmts ?? []) {
    if (stmt === undefined) continue;
    const line = lineOf(bytes.subarray(0, start + leadingSpace(bytes.subarray(start))).toString());
    const made = createdBy(stmt);
    if (made !== undefined) created.add(made);
    for (const what of untransactional(stmt, parsed.stmts?.length === 1)) findings.push({ kind: 'transaction', what, line });
    if (phase === 'contract') continue;
    for (const what of narrowing(stmt, created, phase === 'expand')) findings.push({ kind: 'destructive', what, line });
  }
  return findings;
}

/** An index that is built while its table is written to; names are as PostgreSQL has them, the table's with its schema where it is given. */
export interface ConcurrentIndex {
  readonly index: string;
  readonly table: readonly string[];
}

/** The index, of a migration that is nothing but `CREATE INDEX CONCURRENTLY`: it runs outside of a transaction. */
export async function concurrentIndexOf(sql: string): Promise<ConcurrentIndex | undefined> {
  if (!/concurrently/i.test(sql)) return undefined;
  const { stmts = [] } = await parse(sql).catch(() => ({ stmts: [] }));
  const stmt = stmts.length === 1 ? stmts[0]?.stmt : undefined;
  if (stmt === undefined || !('IndexStmt' in stmt) || stmt.IndexStmt.concurrent !== true) return undefined;
  const { idxname: index, relation } = stmt.IndexStmt;
  const table = [relation?.schemaname, relation?.relname].filter((part) => part !== undefined);
  return index === undefined ? undefined : { index, table };
}

function syntaxFinding(sql: string, error: unknown): StatementFinding {
  const position = error instanceof SqlError ? (error.sqlDetails?.cursorPosition ?? 0) : 0;
  return { kind: 'syntax', what: error instanceof Error ? error.message : String(error), line: lineOf(sql.slice(0, position)) };
}

function untransactional(stmt: Node, isAlone: boolean): string[] {
  if ('TransactionStmt' in stmt) return ['BEGIN, COMMIT and the like'];
  if ('IndexStmt' in stmt && stmt.IndexStmt.concurrent === true) {
    if (stmt.IndexStmt.idxname === undefined) return ['CREATE INDEX CONCURRENTLY without a name'];
    return isAlone ? [] : ['CREATE INDEX CONCURRENTLY beside other statements'];
  }
  if ('DropStmt' in stmt && stmt.DropStmt.concurrent === true) return ['DROP INDEX CONCURRENTLY'];
  if ('ReindexStmt' in stmt) return ['REINDEX'];
  if ('VacuumStmt' in stmt) return ['VACUUM'];
  if ('CreatedbStmt' in stmt || 'DropdbStmt' in stmt) return ['CREATE DATABASE and DROP DATABASE'];
  if ('AlterSystemStmt' in stmt) return ['ALTER SYSTEM'];
  return 'CopyStmt' in stmt ? ['COPY'] : [];
}

/** Of a table that was there before, nobody knows what it holds. */
function createdBy(stmt: Node): string | undefined {
  if ('CreateStmt' in stmt && stmt.CreateStmt.if_not_exists !== true) return relationName(stmt.CreateStmt.relation);
  if (!('CreateTableAsStmt' in stmt) || stmt.CreateTableAsStmt.if_not_exists === true) return undefined;
  return relationName(stmt.CreateTableAsStmt.into?.rel);
}

function relationName(relation: { readonly schemaname?: string; readonly relname?: string } | undefined): string {
  return [relation?.schemaname ?? '', relation?.relname ?? ''].filter((part) => part !== '').join('.');
}

/** What releases that read and write only what was there before cannot do without. What the same file creates is nobody's yet. */
function narrowing(stmt: Node, created: ReadonlySet<string>, isExpand: boolean): string[] {
  if ('DropStmt' in stmt) {
    const type = (stmt.DropStmt.removeType ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
    const isOwn = type === 'TABLE' && (stmt.DropStmt.objects ?? []).every((each) => created.has(listedName(each)));
    return harmlessDrops.has(type) || isOwn ? [] : [`DROP ${type}`];
  }
  if ('RenameStmt' in stmt) {
    const type = (stmt.RenameStmt.renameType ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
    return harmlessDrops.has(type) || created.has(relationName(stmt.RenameStmt.relation)) ? [] : [`RENAME ${type}`];
  }
  if ('TruncateStmt' in stmt) return ['TRUNCATE'];
  if ('DropOwnedStmt' in stmt) return ['DROP OWNED'];
  if ('AlterObjectSchemaStmt' in stmt) return ['SET SCHEMA'];
  if ('AlterEnumStmt' in stmt) return stmt.AlterEnumStmt.oldVal === undefined ? [] : ['RENAME VALUE'];
  if ('GrantStmt' in stmt) return stmt.GrantStmt.is_grant === true ? [] : ['REVOKE'];
  if ('DeleteStmt' in stmt) return isExpand && !created.has(relationName(stmt.DeleteStmt.relation)) ? ['DELETE'] : [];
  if ('IndexStmt' in stmt) {
    const { unique, relation, idxname = '' } = stmt.IndexStmt;
    return unique === true && !created.has(relationName(relation)) ? [`CREATE UNIQUE INDEX ${idxname}`.trimEnd()] : [];
  }
  if ('AlterDomainStmt' in stmt) return narrowingOfDomain(stmt.AlterDomainStmt);
  if (!('AlterTableStmt' in stmt) || created.has(relationName(stmt.AlterTableStmt.relation))) return [];
  return (stmt.AlterTableStmt.cmds ?? []).flatMap((command) => ('AlterTableCmd' in command ? narrowingOf(command.AlterTableCmd) : []));
}

function listedName(object: Node): string {
  const parts = 'List' in object ? (object.List.items ?? []) : [];
  return parts.flatMap((part) => ('String' in part ? [part.String.sval ?? ''] : [])).join('.');
}

/** `O` is SET NOT NULL and `C` ADD CONSTRAINT (PostgreSQL's parsenodes.h). */
function narrowingOfDomain({ subtype, typeName }: Extract<Node, { AlterDomainStmt: unknown }>['AlterDomainStmt']): string[] {
  const what = ({ O: 'SET NOT NULL', C: 'ADD CONSTRAINT' } as Readonly<Record<string, string>>)[subtype ?? ''];
  if (what === undefined) return [];
  const name = (typeName ?? []).flatMap((part) => ('String' in part ? [part.String.sval ?? ''] : [])).join('.');
  return [`${what} on the domain ${name}`];
}

const harmlessDrops: ReadonlySet<string> = new Set([
  'INDEX',
  'TRIGGER',
  'STATISTIC EXT',
  'TABCONSTRAINT',
  'POLICY',
  'RULE',
  'EVENT TRIGGER',
]);

type TableCommand = Extract<Node, { AlterTableCmd: unknown }>['AlterTableCmd'];

function narrowingOf({ subtype, name = '', def }: TableCommand): string[] {
  if (subtype === 'AT_DropColumn') return [`DROP COLUMN ${name}`];
  if (subtype === 'AT_AlterColumnType') return [`another type of the column ${name}`];
  if (subtype === 'AT_SetNotNull') return [`SET NOT NULL on ${name}`];
  if (subtype === 'AT_DetachPartition') return ['DETACH PARTITION'];
  if (subtype === 'AT_EnableRowSecurity' || subtype === 'AT_ForceRowSecurity') return ['ENABLE ROW LEVEL SECURITY'];
  if (subtype === 'AT_ColumnDefault') return def === undefined ? [`DROP DEFAULT of ${name}`] : [];
  if (def === undefined) return [];
  if (subtype === 'AT_AddConstraint' && 'Constraint' in def) return [`ADD CONSTRAINT ${def.Constraint.conname ?? ''}`.trimEnd()];
  return subtype === 'AT_AddColumn' && 'ColumnDef' in def ? demandedColumn(def.ColumnDef) : [];
}

/** A column that every INSERT has to name from now on. */
function demandedColumn({ colname = '', constraints = [] }: Extract<Node, { ColumnDef: unknown }>['ColumnDef']): string[] {
  const types = constraints.map((each) => ('Constraint' in each ? each.Constraint.contype : undefined));
  const demanded = types.includes('CONSTR_NOTNULL') || types.includes('CONSTR_PRIMARY');
  const filled = types.some((type) => type === 'CONSTR_DEFAULT' || type === 'CONSTR_IDENTITY' || type === 'CONSTR_GENERATED');
  return demanded && !filled ? [`ADD COLUMN ${colname} NOT NULL without a default`] : [];
}

function lineOf(before: string): number {
  return before.split('\n').length;
}

/** A statement's place in the file begins with the white space and comments before it. */
function leadingSpace(bytes: Buffer): number {
  return /^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)*/.exec(bytes.toString())?.[0].length ?? 0;
}
