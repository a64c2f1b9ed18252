import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { digestJson } from '../../../src/digest/digest.ts';
import { systemClock } from '../../../src/effects/clock.ts';
import { testPort } from '../../../src/testing/test-port.ts';
import { createPostgresMigrations } from '../../../src/migrations/postgres-migrations.ts';
import { migrationsOf } from '../../../src/release/migrations/migration-set.ts';
import { findProgram } from '../../../src/testing/requires.ts';
import { until } from '../../../src/testing/conditions.ts';

const folder = join(import.meta.dirname, '../agents/logging/migrations');

export interface PostgresServer {
  readonly url: string;
  start(): Promise<void>;
  /** A fast shutdown, as at a restart: open connections are cut. */
  stop(): Promise<void>;
  /** Runs the migrations of the logging agent as an apply would; gives the names of those that had not run. */
  migrate(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

/** PostgreSQL refuses to run for root, so for root it runs as nobody. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

/** A server of the system's PostgreSQL in a temporary folder, not started yet. */
export async function createPostgres(initdb: string): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-pg-'));
  if (user) await chown(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  await run(initdb, ['-D', data, '-U', 'support', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C']);
  const port = await testPort();
  const url = `postgres://support@127.0.0.1:${port}/postgres`;
  let stopServer: (() => Promise<void>) | undefined;

  return {
    url,
    async start() {
      const parameters = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-k', directory, '-c', 'fsync=off'];
      const server = spawn(findProgram('postgres') ?? join(initdb, '../postgres'), parameters, {
        cwd: directory,
        stdio: 'ignore',
        ...user,
      });
      const ended = once(server, 'close');
      stopServer = async () => {
        server.kill('SIGINT');
        await ended;
      };
      await until('PostgreSQL to answer', () => answers(url));
    },
    stop: async () => stopServer?.(),
    async migrate() {
      const migrations = await readMigrations();
      return createPostgresMigrations({ clock: systemClock }).run({
        url,
        service: 'logging-agent',
        migrations,
        waiting: new Set(),
        signal: new AbortController().signal,
        progress: () => undefined,
      });
    },
    async remove() {
      await stopServer?.();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function readMigrations() {
  const names = await readdir(folder);
  const files = names.map(async (name) => {
    const text = await readFile(join(folder, name), 'utf8');
    return { path: `migrations/${name}`, text, digest: digestJson(text) };
  });
  return migrationsOf(await Promise.all(files)).migrations;
}

async function run(program: string, parameters: readonly string[]): Promise<void> {
  const child = spawn(program, parameters, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], ...user });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${errors}`);
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  return client.connect().then(
    async () => {
      await client.end();
      return true;
    },
    () => false,
  );
}
