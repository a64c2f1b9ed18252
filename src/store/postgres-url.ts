import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { sluiceError, type SluiceError } from '../errors/sluice-error.ts';

/** What a `postgres://` URL says, in the terms of the driver. */
export interface PostgresTarget {
  /** For people: without the password. */
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absent: PGPASSWORD or ~/.pgpass. */
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: false | ConnectionOptions;
  readonly connectTimeoutMs: number;
}

const known: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'connect_timeout', 'host']);

/**
 * Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...`. TLS as in libpq: `disable`, `require` (encrypted, the server is not
 * verified unless `sslrootcert` is given), `verify-ca`, `verify-full`; `sslrootcert`, `sslcert` and `sslkey` name files. Without `sslmode` the loopback interface and
 * Unix sockets (`?host=/folder`) are spoken to in plain and every other host with `verify-full`. Throws `store_url_invalid`, never with
 * the password.
 */
export function parsePostgresUrl(text: string): PostgresTarget {
  // The cause is left out wherever the URL is parsed: such errors quote their input.
  const url = URL.parse(text);
  if (url === null) throw invalid('it is not a URL (special characters of a password have to be percent-encoded)');
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw invalid(`it begins with ${url.protocol}, not postgres:`);
  const unknown = [...url.searchParams.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) throw invalid(`the parameter '${unknown}' is not known (${[...known].join(', ')} are)`);
  const socket = url.searchParams.get('host');
  if (socket !== null && !socket.startsWith('/')) throw invalid('the parameter host is for the folder of a Unix socket');
  const host = socket ?? decoded(url.hostname).replace(/^\[(.*)\]$/, '$1');
  const [user, database] = [decoded(url.username), decoded(url.pathname.slice(1))];
  if (host === '') throw invalid('it names no host');
  if (user === '') throw invalid('it names no user');
  if (database === '') throw invalid('it names no database');
  const seconds = Number(url.searchParams.get('connect_timeout') ?? 10);
  if (!(seconds >= 1 && seconds <= 300)) throw invalid('connect_timeout has to be between 1 and 300 seconds');
  const port = url.port === '' ? 5432 : Number(url.port);
  return {
    shown: `postgres://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`,
    host,
    port,
    user,
    password: url.password === '' ? undefined : decoded(url.password),
    database,
    ssl: tlsOf(url.searchParams, host),
    connectTimeoutMs: seconds * 1_000,
  };
}

function tlsOf(parameters: URLSearchParams, host: string): false | ConnectionOptions {
  const near = host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.');
  const mode = parameters.get('sslmode') ?? (near ? 'disable' : 'verify-full');
  const file = (name: string): { readonly [field: string]: Buffer } => {
    const path = parameters.get(name);
    if (path === null) return {};
    const field = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' }[name] as string;
    try {
      return { [field]: readFileSync(path) };
    } catch (error) {
      throw invalid(`the file of ${name} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  const files = { ...file('sslrootcert'), ...file('sslcert'), ...file('sslkey') };
  if (mode === 'disable') return false;
  // As libpq: whoever names an authority wants it to be asked.
  if (mode === 'require' && !('ca' in files)) return { ...files, rejectUnauthorized: false };
  if (mode === 'require') return { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  if (mode === 'verify-ca') return { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  if (mode === 'verify-full') return { ...files, rejectUnauthorized: true };
  throw invalid(`sslmode '${mode}' is not one of disable, require, verify-ca, verify-full`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a percent sign in it does not begin an escape such as %40');
  }
}

function invalid(reason: string): SluiceError {
  return sluiceError('store_url_invalid', { reason });
}

/** How every connection is made: limits on both sides, so that nothing waits for ever on a network that has gone silent. */
export function connectionSettings(target: PostgresTarget): ClientConfig & { readonly pipeline: true } {
  const { host, port, user, password, database, ssl, connectTimeoutMs } = target;
  return {
    host,
    port,
    user,
    ...(password !== undefined && { password }),
    database,
    ssl,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs / 2,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 5_000,
    keepAlive: true,
    // Queries that need no answer in between travel together.
    pipeline: true,
  };
}

export const applicationName = 'sluice';
const statementTimeoutMs = 30_000;
