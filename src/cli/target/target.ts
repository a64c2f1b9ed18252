import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { GlobalOptions } from '../command.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Which control plane a command is for. Paths are absolute. */
export interface Home {
  readonly home: string;
  /** Folder the control plane serves: paths of stacks are relative to it. */
  readonly root: string;
  /** From --store or SLUICE_STORE: `sqlite` or a URL, which may hold a password. */
  readonly store?: string;
}

/** Which stack a command is for. */
export interface StackTarget extends Home {
  /** File or folder, absolute, symbolic links resolved. */
  readonly path: string;
}

type Given = Pick<GlobalOptions, 'home'> & Partial<Pick<GlobalOptions, 'store'>>;
type Surroundings = Pick<Terminal, 'directory' | 'environment'>;

/** The stack named on the command line (a file or a folder; default: the current folder), and its home. */
export function stackTarget(given: string | undefined, global: Given, where: Surroundings): StackTarget {
  const wanted = resolve(where.directory, given ?? '.');
  if (!existsSync(wanted)) throw sluiceError('stack_not_found', { path: given ?? '.' });
  const path = realpathSync(wanted);
  const root = statSync(path).isDirectory() ? path : dirname(path);
  return { path, root, home: explicitHome(global, where) ?? join(root, '.sluice'), ...explicitStore(global, where) };
}

/** The home of a command that names no stack: --home, SLUICE_HOME, the stack of --stack, else the nearest `.sluice` upward. */
export function homeTarget(options: { stack?: string | undefined }, global: Given, where: Surroundings): Home {
  if (options.stack !== undefined) return stackTarget(options.stack, global, where);
  const explicit = explicitHome(global, where);
  if (explicit !== undefined) {
    return {
      home: explicit,
      root: basename(explicit) === '.sluice' && existsSync(dirname(explicit)) ? dirname(explicit) : where.directory,
      ...explicitStore(global, where),
    };
  }
  for (let folder = resolve(where.directory); ; folder = dirname(folder)) {
    const home = join(folder, '.sluice');
    if (statSync(home, { throwIfNoEntry: false })?.isDirectory()) return { home, root: folder, ...explicitStore(global, where) };
    if (folder === dirname(folder)) throw sluiceError('home_not_found', { from: where.directory });
  }
}

function explicitHome(global: Given, where: Surroundings): string | undefined {
  const given = global.home ?? (where.environment['SLUICE_HOME'] || undefined);
  return given === undefined ? undefined : resolve(where.directory, given);
}

function explicitStore(global: Given, where: Surroundings): Pick<Home, 'store'> {
  const store = global.store ?? (where.environment['SLUICE_STORE'] || undefined);
  return store === undefined ? {} : { store };
}
