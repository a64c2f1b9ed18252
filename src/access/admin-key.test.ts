import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { ensureAdminKey } from './admin-key.ts';
import { newKey } from './key.ts';
import { createKeyring, type Keyring } from './keyring.ts';

describe('the admin key of the local user', () => {
  let folder: string;
  let file: string;
  let keyring: Keyring;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-admin-key-'));
    file = join(folder, 'admin.key');
    keyring = createKeyring({ store: createMemoryStore(), clock: systemClock, random: systemRandom });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const ensure = () => ensureAdminKey({ file, keyring, random: systemRandom });
  const keyInFile = async () => (await readFile(file, 'utf8')).trim();

  it('is made at the first start, for its owner alone, and differs from every other', async () => {
    await ensure();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const first = await keyInFile();
    expect(await keyring.authenticate(first)).toMatchObject({ role: 'admin' });
    await rm(file);
    await ensure();
    expect(await keyInFile()).not.toBe(first);
    expect(await keyring.authenticate(first)).toBeUndefined();
  });

  it('stays as it is at later starts', async () => {
    await ensure();
    const key = await keyInFile();
    await ensure();
    expect(await keyInFile()).toBe(key);
    expect(await keyring.list()).toHaveLength(1);
  });

  it('is taken from the file when a crash kept it from being recorded', async () => {
    const key = newKey(systemRandom);
    await writeFile(file, `${key}\n`, { mode: 0o600 });
    await ensure();
    expect(await keyring.authenticate(key)).toMatchObject({ name: 'local', role: 'admin' });
  });

  it('is replaced after it was revoked', async () => {
    await ensure();
    const key = await keyInFile();
    await keyring.create('admin', { name: 'other', role: 'admin' });
    const local = (await keyring.list()).find(({ name }) => name === 'local');
    await keyring.revoke(local?.id ?? '');
    await ensure();
    expect(await keyInFile()).not.toBe(key);
    expect(await keyring.authenticate(key)).toBeUndefined();
    expect(await keyring.authenticate(await keyInFile())).toMatchObject({ role: 'admin' });
  });

  it('is refused when others can read the file', async () => {
    await ensure();
    for (const mode of [0o640, 0o604, 0o660, 0o644]) {
      await chmod(file, mode);
      await expect(ensure()).rejects.toMatchObject({ code: 'admin_key_exposed' });
    }
  });

  it('is refused when the file holds no key, or is a link to some other file', async () => {
    for (const content of ['', 'password', 'sk_short']) {
      await writeFile(file, content, { mode: 0o600 });
      await expect(ensure()).rejects.toMatchObject({ code: 'admin_key_invalid' });
    }
    await rm(file);
    await writeFile(join(folder, 'elsewhere'), newKey(systemRandom), { mode: 0o600 });
    await symlink(join(folder, 'elsewhere'), file);
    await expect(ensure()).rejects.toMatchObject({ code: 'admin_key_invalid' });
    expect(await keyring.list()).toEqual([]);
  });
});
