import pg from 'pg';
import type { Random } from '../../../effects/random.ts';
import { administrator } from './cluster.ts';
import { scramVerifier } from './scram.ts';

/** Where a server listens, and the password of its administrator. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

/** `not_yet` while the server is starting; `refused` when it runs and does not accept the password, which waiting will not change. */
export async function administratorAnswers(endpoint: Endpoint): Promise<'yes' | 'not_yet' | 'refused'> {
  try {
    await withAdministrator(endpoint, (client) => client.query('SELECT 1'));
    return 'yes';
  } catch (error) {
    return (error as { code?: string }).code === '28P01' ? 'refused' : 'not_yet';
  }
}

/** Role and database for a stack's database of this name. Some names mean something to PostgreSQL and are set apart. */
export function databaseName(name: string): string {
  return ['postgres', 'template0', 'template1', 'public', 'none'].includes(name) ? `${name}-db` : name;
}

/** Gives the server one role that can log in, and one database that it owns. Idempotent; sets the password again. */
export async function ensureDatabase(endpoint: Endpoint, name: string, password: string, random: Random): Promise<void> {
  await withAdministrator(endpoint, async (client) => {
    const quoted = client.escapeIdentifier(name);
    const verifier = client.escapeLiteral(scramVerifier(password, random.bytes(16)));
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
    await client.query(`${role.rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${quoted} LOGIN PASSWORD ${verifier}`);
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${quoted} OWNER ${quoted}`);
  });
}

/** A connection of the administrator's own, to the database `postgres` unless told otherwise. */
export async function withAdministrator<Value>(
  endpoint: Endpoint,
  work: (client: pg.Client) => Promise<Value>,
  { database = 'postgres', queryTimeoutMs = 30_000 }: { readonly database?: string; readonly queryTimeoutMs?: number } = {},
): Promise<Value> {
  const client = new pg.Client({
    host: endpoint.host,
    port: endpoint.port,
    user: administrator,
    password: endpoint.password,
    database,
    ssl: false,
    connectionTimeoutMillis: 2_000,
    query_timeout: queryTimeoutMs,
  });
  // A connection that breaks while idle is reported here; the query in progress fails by itself.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
