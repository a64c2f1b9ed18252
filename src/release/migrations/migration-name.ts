/**
 * `expand` adds what the new release needs and the old one does not mind; `migrate` moves data; `contract` takes away what only the old
 * releases need.
 */
export type MigrationPhase = 'expand' | 'migrate' | 'contract';

const pattern = /^(\d{1,9})[_-][A-Za-z0-9_-]{1,100}\.(expand|migrate|contract)\.sql$/;

/** What the name of a migration says: `001_add_locale.expand.sql`. Undefined for a name of another form. */
export function readMigrationName(name: string): { readonly order: number; readonly phase: MigrationPhase } | undefined {
  const [, order, phase] = pattern.exec(name) ?? [];
  return order === undefined ? undefined : { order: Number(order), phase: phase as MigrationPhase };
}
