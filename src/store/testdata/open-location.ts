import type { DurableStore } from '../durable-store.ts';
import { openPostgresStore } from '../postgres-store.ts';
import { openSqliteStore } from '../sqlite-store.ts';

/** The store at STORE_LOCATION: a path or a URL. */
export function openLocation(): Promise<DurableStore> {
  const location = process.env['STORE_LOCATION'] as string;
  return location.startsWith('postgres:') ? openPostgresStore({ url: location }) : openSqliteStore({ path: location });
}
