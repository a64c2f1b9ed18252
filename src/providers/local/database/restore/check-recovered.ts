import { sluiceError } from '../../../../errors/sluice-error.ts';
import { type Endpoint, withAdministrator } from '../roles.ts';
import type { Moment } from './target.ts';

export interface Recovered {
  /** The one it has begun. */
  readonly timeline: number;
  /** RFC 3339; undefined when the log held no transaction after the backup. */
  readonly recoveredTo: string | undefined;
}

/** The server has left recovery, the database opens and its catalogue can be read, and nothing later than the moment is in it. */
export async function checkRecovered(
  { name, database }: { readonly name: string; readonly database: string },
  endpoint: Endpoint,
  moment: Moment,
): Promise<Recovered> {
  const refuse = (reason: string) => sluiceError('database_restore_failed', { name, reason });
  const { rows } = await withAdministrator(endpoint, (client) =>
    client.query<{ recovering: boolean; reached: Date | null; segment: string; known: boolean }>(
      `SELECT pg_is_in_recovery() AS recovering, pg_last_xact_replay_timestamp() AS reached,
              pg_walfile_name(pg_current_wal_lsn()) AS segment, EXISTS (SELECT 1 FROM pg_database WHERE datname = $1) AS known`,
      [database],
    ),
  );
  const [state] = rows;
  const reached = state?.reached ?? undefined;
  if (!state || state.recovering) throw refuse('the new server is still recovering');
  if (!state.known) throw refuse('the database did not exist at that time');
  if (reached !== undefined && reached.getTime() > moment.time) throw refuse(`it went on to ${reached.toISOString()}`);
  await withAdministrator(endpoint, (client) => client.query('SELECT count(*) FROM pg_class'), { database });
  return { timeline: Number.parseInt(state.segment.slice(0, 8), 16), recoveredTo: reached?.toISOString() };
}
