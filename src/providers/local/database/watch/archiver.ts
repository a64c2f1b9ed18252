import { type Endpoint, withAdministrator } from '../roles.ts';

export interface ArchiveState {
  /** The newest attempt has failed; what was not archived stays in the server's own log meanwhile. */
  readonly failing: boolean;
  readonly lastArchivedAt?: string;
  readonly lastFailedAt?: string;
  readonly lastFailed?: string;
}

/** How archiving goes, as the server counts it. */
export async function archiveState(endpoint: Endpoint): Promise<ArchiveState> {
  const { rows } = await withAdministrator(endpoint, (client) =>
    client.query<{ archived: Date | null; failed: Date | null; segment: string | null }>(
      'SELECT last_archived_time AS archived, last_failed_time AS failed, last_failed_wal AS segment FROM pg_stat_archiver',
    ),
  );
  const { archived = null, failed = null, segment = null } = rows[0] ?? {};
  return {
    failing: failed !== null && (archived === null || failed > archived),
    ...(archived && { lastArchivedAt: archived.toISOString() }),
    ...(failed && { lastFailedAt: failed.toISOString() }),
    ...(segment !== null && { lastFailed: segment }),
  };
}
