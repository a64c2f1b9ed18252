import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom, systemRandom } from '../effects/random.ts';
import { createVault, openFileVault } from './file-vault.ts';

let folder: string;
let keyFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-vault-'));
  keyFile = join(folder, 'home', 'state.key');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});
const open = () => openFileVault({ keyFile, random: systemRandom });

describe('a vault', () => {
  it('opens what it sealed, also after it was opened again, and never seals alike twice', async () => {
    const vault = await open();
    const sealed = vault.seal('p4ss word ü');
    expect(vault.seal('p4ss word ü')).not.toBe(sealed);
    expect(sealed).toMatch(/^[\x21-\x7e]+$/);
    expect((await open()).open(sealed)).toBe('p4ss word ü');
  });

  it('refuses a value that was altered anywhere, cut, or sealed with another key', () => {
    const vault = createVault(new Uint8Array(32).fill(1), seededRandom(1));
    const sealed = vault.seal('secret');
    const other = createVault(new Uint8Array(32).fill(2), seededRandom(1));
    expect(() => other.open(sealed)).toThrow(expect.objectContaining({ code: 'secret_unreadable' }));
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', '_', '0'), (index, character) => {
        const altered = sealed.slice(0, index) + character + sealed.slice(index + 1);
        fc.pre(altered !== sealed);
        expect(() => vault.open(altered)).toThrow(expect.objectContaining({ code: 'secret_unreadable' }));
        expect(() => vault.open(sealed.slice(0, index))).toThrow(expect.objectContaining({ code: 'secret_unreadable' }));
      }),
    );
  });

  it('gives fingerprints that are equal for equal values only and depend on the key', () => {
    const vault = createVault(new Uint8Array(32).fill(1), seededRandom(1));
    const other = createVault(new Uint8Array(32).fill(2), seededRandom(1));
    expect(vault.fingerprint('a')).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(vault.fingerprint('a')).toBe(vault.fingerprint('a'));
    expect(vault.fingerprint('a')).not.toBe(vault.fingerprint('b'));
    expect(vault.fingerprint('a')).not.toBe(other.fingerprint('a'));
  });
});

describe('the key file', () => {
  it('is created with 32 random bytes that only its owner may read, once for all who open it at the same moment', async () => {
    const vaults = await Promise.all([open(), open(), open()]);
    const sealed = vaults[0].seal('x');
    expect(vaults.map((vault) => vault.open(sealed))).toEqual(['x', 'x', 'x']);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(keyFile)).toHaveLength(32);
    expect(await readdir(join(folder, 'home'))).toEqual(['state.key']);
  });

  it('is refused when others may read it', async () => {
    await open();
    await chmod(keyFile, 0o640);
    await expect(open()).rejects.toMatchObject({ code: 'vault_key_unusable' });
  });

  it.each([0, 31, 33])('is refused and kept when it holds %i bytes', async (length) => {
    await open();
    await writeFile(keyFile, Buffer.alloc(length));
    await expect(open()).rejects.toMatchObject({ code: 'vault_key_unusable' });
    expect((await stat(keyFile)).size).toBe(length);
  });

  it('is refused when it is a symbolic link', async () => {
    await open();
    const linked = join(folder, 'linked.key');
    await symlink(keyFile, linked);
    await expect(openFileVault({ keyFile: linked, random: systemRandom })).rejects.toMatchObject({ code: 'vault_key_unusable' });
  });
});
