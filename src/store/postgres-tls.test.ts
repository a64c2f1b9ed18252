import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { serverUser } from '../providers/local/server/server-user.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { describeWith } from '../testing/requires.ts';
import { openPostgresStore } from './postgres-store.ts';

describeWith('openssl', 'a store that is spoken to over TLS', (openssl) => {
  let server: PostgresServer;
  let folder: string;
  const file = (name: string): string => join(folder, name);

  /** A key and a certificate that signs itself, for these names. */
  const certificate = (name: string, names: string): void => {
    const parameters = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=sluice-test',
      '-addext',
      `subjectAltName=${names}`,
    ];
    execFileSync(openssl, [...parameters, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)], { stdio: 'ignore' });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
    await chmod(folder, 0o711);
    certificate('server', 'DNS:localhost');
    certificate('another', 'DNS:localhost,IP:127.0.0.1');
    const user = serverUser();
    if (user) for (const name of ['server.key', 'server.crt']) await chown(file(name), user.uid, user.gid);
    await chmod(file('server.key'), 0o600);
    server = await startPostgres();
    for (const [name, value] of Object.entries({ ssl: 'on', ssl_cert_file: file('server.crt'), ssl_key_file: file('server.key') }))
      await server.query('postgres', `ALTER SYSTEM SET ${name} = '${value}'`);
    await server.stop();
    await server.start();
  });
  afterAll(async () => {
    await server.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function opened(parameters: string, host = 'localhost'): Promise<unknown> {
    const url = `${(await server.emptyDatabase()).replace('127.0.0.1', host)}?${parameters}`;
    const store = await openPostgresStore({ url, clock: systemClock, evidence: undefined, backups: [] });
    try {
      await store.transact([{ operation: 'put', collection: 'things', key: 'one', value: 1 }]);
      const rows = await server.query(
        'postgres',
        `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'sluice'`,
      );
      return rows.map(({ ssl }) => ssl);
    } finally {
      await store.close();
    }
  }
  const authority = (name: string): string => `sslrootcert=${encodeURIComponent(file(`${name}.crt`))}`;

  it('is encrypted with sslmode=require, whoever has signed the certificate, and only when it is asked for on this machine', async () => {
    expect(await opened('sslmode=require')).toEqual([true]);
    expect(await opened('sslmode=disable')).toEqual([false]);
    expect(await opened('connect_timeout=5')).toEqual([false]);
  });

  it('is verified with an authority: by its certificate with verify-ca, and by its name too with verify-full', async () => {
    expect(await opened(`sslmode=verify-full&${authority('server')}`)).toEqual([true]);
    expect(await opened(`sslmode=verify-ca&${authority('server')}`, '127.0.0.1')).toEqual([true]);
    await expect(opened(`sslmode=verify-full&${authority('server')}`, '127.0.0.1')).rejects.toMatchObject({
      code: 'store_refused',
      message: expect.stringContaining('127.0.0.1') as unknown,
    });
  });

  it('is refused when another authority has signed it, or none that is known, and the password is not told', async () => {
    const refused = [`sslmode=verify-full`, `sslmode=verify-ca&${authority('another')}`, `sslmode=require&${authority('another')}`];
    for (const parameters of refused) {
      const thrown = await opened(parameters).catch((error: unknown) => error);
      expect([parameters, thrown]).toEqual([parameters, expect.objectContaining({ code: 'store_refused' })]);
      expect((thrown as Error).message).toMatch(/certificate/);
      expect((thrown as Error).message).not.toContain(server.password);
    }
  });

  it('says which file cannot be read, and that a server speaks no TLS', async () => {
    await writeFile(file('empty.crt'), '');
    await expect(opened(`sslmode=verify-full&sslrootcert=${encodeURIComponent(file('missing.crt'))}`)).rejects.toMatchObject({
      code: 'store_url_invalid',
      message: expect.stringContaining('sslrootcert') as unknown,
    });
    await server.query('postgres', 'ALTER SYSTEM SET ssl = off');
    await server.stop();
    await server.start();
    await expect(opened('sslmode=require')).rejects.toMatchObject({
      code: expect.stringMatching(/^store_(unreachable|refused)$/) as unknown,
      message: expect.stringMatching(/SSL|TLS/) as unknown,
    });
  });
});
