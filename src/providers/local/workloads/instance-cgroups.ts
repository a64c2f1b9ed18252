import { access, mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../../digest/json.ts';
import type { ResourceLimits } from '../../workloads.ts';

/** The cgroup folders a virtual machine names in its outputs; none where the system enforces nothing. */
export function machineCgroups(outputs: Readonly<Record<string, Json>> | undefined): readonly string[] {
  const named = outputs?.['cgroups'];
  return Array.isArray(named) ? named.filter((folder): folder is string => typeof folder === 'string') : [];
}

/**
 * Puts a process under its machine's limits: into a child group with its own limits where the system lets one be made, else into the
 * machine's group. What is not possible is not enforced; the plan's notes say so. Returns the folders that were made.
 */
export async function joinCgroups(
  pid: number,
  id: string,
  folders: readonly string[],
  limits: ResourceLimits | undefined,
): Promise<string[]> {
  const made: string[] = [];
  for (const folder of folders) {
    const own = join(folder, id);
    const exists = await makeFolder(own);
    if (exists) await setLimits(own, limits);
    if (exists && (await succeeds(writeFile(join(own, 'cgroup.procs'), String(pid))))) {
      made.push(own);
      continue;
    }
    if (exists) await succeeds(rmdir(own));
    await succeeds(writeFile(join(folder, 'cgroup.procs'), String(pid)));
  }
  return made;
}

/** Removes an ended instance's groups; a group that is still busy stays for the next try. */
export async function leaveCgroups(folders: readonly string[]): Promise<void> {
  await Promise.all(folders.map((folder) => succeeds(rmdir(folder))));
}

const cpuPeriodMicroseconds = 100_000;

/** Version 2 (cpu.max, memory.max) and version 1 files alike: whichever the folder's controller has. */
async function setLimits(folder: string, limits: ResourceLimits | undefined): Promise<void> {
  if (limits?.memoryBytes !== undefined) {
    await setIfPresent(folder, 'memory.max', String(limits.memoryBytes));
    await setIfPresent(folder, 'memory.limit_in_bytes', String(limits.memoryBytes));
  }
  if (limits?.cpuMillis !== undefined) {
    const quota = Math.max(1_000, Math.round((limits.cpuMillis / 1_000) * cpuPeriodMicroseconds));
    await setIfPresent(folder, 'cpu.max', `${quota} ${cpuPeriodMicroseconds}`);
    await setIfPresent(folder, 'cpu.cfs_period_us', String(cpuPeriodMicroseconds));
    await setIfPresent(folder, 'cpu.cfs_quota_us', String(quota));
  }
}

async function setIfPresent(folder: string, file: string, value: string): Promise<void> {
  const path = join(folder, file);
  if (await succeeds(access(path))) await succeeds(writeFile(path, value));
}

/** Not recursive: where the machine's group is missing, nothing may be made in its place. */
async function makeFolder(folder: string): Promise<boolean> {
  return mkdir(folder).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code === 'EEXIST',
  );
}

async function succeeds(action: Promise<unknown>): Promise<boolean> {
  return action.then(
    () => true,
    () => false,
  );
}
