import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canPass, makeServerFolder, plannedServersRoot, serversRoot } from './server-user.ts';

const nobody = { uid: 65_534, gid: 65_534 };
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('where servers keep their data', () => {
  let base: string;
  let home: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'sluice-base-'));
    chmodSync(base, 0o755);
    home = join(base, 'home');
    mkdirSync(home, { mode: 0o700 });
  });
  afterEach(() => rmSync(base, { recursive: true }));

  it('is the home of an ordinary user, which stays closed', async () => {
    expect(await serversRoot(home, undefined)).toBe(home);
    const folder = await makeServerFolder(home, 'databases', 'default/database/db', undefined);
    expect([modeOf(home), modeOf(join(home, 'databases')), modeOf(folder)]).toEqual([0o700, 0o700, 0o700]);
  });

  it('is outside the home when a folder above is closed to the user of the server; planning that changes nothing', async () => {
    chmodSync(base, 0o700);
    const outside = await plannedServersRoot(home, nobody);
    expect(outside).toMatch(/^\/var\/(lib|db)\/sluice\/[0-9a-f]{12}$/);
    expect(await serversRoot(home, nobody)).toBe(outside);
    expect([modeOf(base), modeOf(home), readdirSync(home)]).toEqual([0o700, 0o700, []]);
  });

  describe.skipIf(process.getuid?.() !== 0)('for root', () => {
    it('is the home, opened to the group of the server and to nobody else', async () => {
      expect(await canPass(home, nobody)).toBe(false);
      expect(await serversRoot(home, nobody)).toBe(home);
      const folder = await makeServerFolder(home, 'databases', 'default/database/db', nobody);
      expect([modeOf(home), statSync(home).gid]).toEqual([0o710, nobody.gid]);
      expect([modeOf(folder), statSync(folder).uid]).toEqual([0o700, nobody.uid]);
      expect(await canPass(folder, nobody)).toBe(true);
      expect(await canPass(home, { uid: 1000, gid: 1000 })).toBe(false);
    });

    it('leaves the group of a home that is shared already', async () => {
      chmodSync(home, 0o750);
      await serversRoot(home, nobody);
      expect([modeOf(home), statSync(home).gid]).toEqual([0o751, 0]);
    });
  });
});
