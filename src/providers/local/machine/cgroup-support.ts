import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The controllers a machine's limits need. */
export const controllers = ['memory', 'cpu', 'pids'] as const;

/** Whether and where this system lets Sluice limit a group of processes. */
export type CgroupSupport =
  /** One hierarchy per controller; `base` is the folder that holds them. */
  | { readonly version: 1; readonly base: string }
  /** The unified hierarchy; `base` is a group that belongs to us, with the controllers at hand for the groups below it. */
  | { readonly version: 2; readonly base: string }
  | { readonly version: 'none'; readonly reason: string };

/** Looks without changing anything. `root` is where control groups are mounted. */
export function cgroupSupport(root = '/sys/fs/cgroup', ownGroups = '/proc/self/cgroup'): CgroupSupport {
  if (process.platform !== 'linux') return { version: 'none', reason: 'this system has no control groups' };
  if (existsSync(join(root, 'cgroup.controllers'))) return unifiedSupport(root, ownGroups);
  const missing = controllers.filter((controller) => !writable(join(root, controller)));
  if (missing.length === 0) return { version: 1, base: root };
  return { version: 'none', reason: `the control groups for ${missing.join(', ')} are missing or not ours to change` };
}

/**
 * A process may only be moved between two groups by whoever may write to their nearest common ancestor, so the base is an ancestor of
 * our own group: for root the top, for an ordinary user the highest one that was delegated to them.
 */
function unifiedSupport(root: string, ownGroups: string): CgroupSupport {
  const own = /^0::(\/.*)$/m.exec(read(ownGroups))?.[1] ?? '/';
  const ancestors: string[] = [];
  for (let group = join(root, own); group.startsWith(root); group = dirname(group)) ancestors.unshift(group);
  const base = ancestors.find((group) => writable(group) && writable(join(group, 'cgroup.procs')) && passesOn(group));
  if (base !== undefined) return { version: 2, base };
  return { version: 'none', reason: `no control group with the controllers ${controllers.join(', ')} is delegated to this user` };
}

/** Whether groups below this one can have the controllers: already, or because it is the real root, which alone may also hold processes. */
function passesOn(group: string): boolean {
  const passed = read(join(group, 'cgroup.subtree_control')).split(/\s+/);
  if (controllers.every((controller) => passed.includes(controller))) return true;
  const offered = read(join(group, 'cgroup.controllers')).split(/\s+/);
  return !existsSync(join(group, 'cgroup.type')) && controllers.every((controller) => offered.includes(controller));
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
