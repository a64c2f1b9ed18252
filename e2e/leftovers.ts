import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Command lines of all processes that mention `folder`, this one and its children aside. */
export function processesMentioning(folder: string): readonly string[] {
  return execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder) && !line.includes('ps -eo'));
}

/** Processes with this command line that work in a folder below `folder`. Of Linux. */
export function processesWorkingIn(folder: string, line: string): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const isOne = /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim() === line;
      return isOne && readlinkSync(`/proc/${name}/cwd`).startsWith(folder) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Paths of all files below `folder`, relative to it. Links are listed, not followed. */
export function filesBelow(folder: string, below = ''): readonly string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? filesBelow(folder, path) : [path];
  });
}

/** Files below `folder` whose bytes contain `text`. */
export function filesContaining(folder: string, text: string): readonly string[] {
  return filesBelow(folder).filter((file) => {
    const path = join(folder, file);
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true && readFileSync(path).includes(text);
  });
}
