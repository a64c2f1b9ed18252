import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

/** Where HAProxy is, when it is there and one the plane can use: 2.6 or later, with Lua. Otherwise why not. */
export type FoundHaproxy = { readonly binary: string; readonly version: string } | { readonly missing: string };

/** Looks on `path` (as in the environment variable PATH), and then where Debian puts programs of the system. */
export async function findHaproxy(path: string | undefined): Promise<FoundHaproxy> {
  const folders = [...(path ?? '').split(delimiter).filter((folder) => isAbsolute(folder)), '/usr/sbin', '/usr/local/sbin'];
  const binary = folders.map((folder) => join(folder, 'haproxy')).find(isExecutable);
  if (binary === undefined) return { missing: 'haproxy is not on PATH' };
  const output = await promisify(execFile)(binary, ['-vv'], { timeout: 5_000 }).catch(() => undefined);
  const version = /HAProxy version (\d+\.\d+)[^\s]*/.exec(output?.stdout ?? '');
  if (version === null) return { missing: `${binary} does not tell its version` };
  const [major, minor] = (version[1] as string).split('.').map(Number) as [number, number];
  if (major < 2 || (major === 2 && minor < 6)) return { missing: `${binary} is ${version[1]}; 2.6 or later is needed` };
  if (!/\+LUA\b/.test(output?.stdout ?? '')) return { missing: `${binary} is built without Lua` };
  return { binary, version: version[0].slice('HAProxy version '.length) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
