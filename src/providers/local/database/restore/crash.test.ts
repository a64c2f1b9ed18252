import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findServerOn } from '../postgres-server.ts';
import { operationOf, providerOver } from '../../local-fixture.ts';
import { realDatabase, type RealDatabase } from '../testdata/real-database.ts';

const fixture = new URL('../../local-fixture.ts', import.meta.url);

/** A control plane that restores the database and is killed (SIGKILL, by itself) at the first report that begins with `step`. */
async function killedAt(step: string, { local, address }: RealDatabase, to: string): Promise<string | undefined> {
  const source = `
    import { operationOf, platformOver } from '${fixture.href}';
    const { databases } = platformOver({ home: process.argv[1], environment: { PATH: process.env.PATH } });
    const progress = (message) => { if (message.startsWith(process.argv[4])) process.kill(process.pid, 'SIGKILL'); };
    await databases.restore(process.argv[2], process.argv[3], operationOf('killed-' + process.argv[5], progress));
  `;
  const parameters = ['--no-warnings', '--input-type=module', '--eval', source, local.home, address, to, step, step.split(' ')[0] ?? ''];
  const ended = promisify(execFile)(process.execPath, parameters, { cwd: tmpdir(), timeout: 25_000 });
  return ended.then(
    () => undefined,
    (error: { signal?: string; stderr?: string }) => error.signal ?? error.stderr,
  );
}

describe('a restore whose control plane is killed', () => {
  let db: RealDatabase;
  let before: string;
  beforeAll(async () => {
    db = await realDatabase();
    await db.sql('CREATE TABLE kept (value integer)', 'INSERT INTO kept VALUES (1)');
    await db.local.databases.backup(db.address, operationOf('backup'));
    before = await db.aMoment();
    await db.sql('INSERT INTO kept VALUES (2)');
  });
  afterAll(() => db.remove());
  const kept = async () => (await db.sql('SELECT value FROM kept ORDER BY value')).map(({ value }) => value);

  it.each(['recovering', 'checking', 'stopping'])('while %s leaves the old server with all its data', async (step) => {
    expect(await killedAt(step, db, before)).toBe('SIGKILL');
    await providerOver(db.local).resume(db.state());
    expect(await kept()).toEqual([1, 2]);
    expect(await findServerOn(join(db.folder, 'restoring'))).toBeUndefined();
    expect(readdirSync(db.folder).filter((entry) => /^rest|^replaced/.test(entry) && entry !== 'restore.log')).toEqual([]);
    expect(await db.local.databases.wasRestored(db.address, `killed-${step}`)).toBe(false);
  });

  it.each(['swapping', 'starting'])('while %s is completed by the next: the new server, at the same URL', async (step) => {
    expect(await killedAt(step, db, before)).toBe('SIGKILL');
    await providerOver(db.local).resume(db.state());
    expect(await kept()).toEqual([1]);
    expect(existsSync(join(db.folder, 'restore.json'))).toBe(false);
    expect(await db.local.databases.wasRestored(db.address, `killed-${step}`)).toBe(true);
    // Later than the swap, so that the next restore starts from what it has made.
    await db.sql('INSERT INTO kept VALUES (3)', 'DELETE FROM kept WHERE value = 3');
    before = await db.aMoment();
    await db.sql('INSERT INTO kept VALUES (4)');
  });
});
