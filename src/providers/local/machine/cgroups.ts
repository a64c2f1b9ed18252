import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../effects/clock.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { type CgroupSupport, controllers } from './cgroup-support.ts';

export interface MachineLimits {
  readonly cpus: number;
  readonly memoryBytes: number;
}

const periodMicroseconds = 100_000;
/** Enough for any agent, too few for a fork bomb to take this machine with it. */
const processesPerCpu = 1024;

/** The folders of a machine's groups: `sluice/OWNER/MACHINE` in each hierarchy. Empty where nothing can be limited. */
export function machineGroups(support: CgroupSupport, owner: string, machine: string): readonly string[] {
  if (support.version === 'none') return [];
  const group = join('sluice', owner, machine);
  return support.version === 2 ? [join(support.base, group)] : controllers.map((controller) => join(support.base, controller, group));
}

/** Creates the groups with the limits, or sets the limits of those that are there. What has a process in a group is held to them at once. */
export async function limitGroups(support: CgroupSupport, groups: readonly string[], limits: MachineLimits): Promise<void> {
  for (const group of groups) await mkdir(group, { recursive: true });
  const quota = Math.max(1000, Math.round(limits.cpus * periodMicroseconds));
  const processes = String(Math.ceil(limits.cpus * processesPerCpu));
  const memory = String(limits.memoryBytes);
  if (support.version === 2) {
    const [group = ''] = groups;
    for (const above of [support.base, dirname(dirname(group)), dirname(group)]) await passOn(above);
    await writeFile(join(group, 'memory.max'), memory);
    await writeFile(join(group, 'cpu.max'), `${quota} ${periodMicroseconds}`);
    await writeFile(join(group, 'pids.max'), processes);
  } else if (support.version === 1) {
    const [memoryGroup = '', cpuGroup = '', pidsGroup = ''] = groups;
    await writeFile(join(memoryGroup, 'memory.limit_in_bytes'), memory);
    await writeFile(join(cpuGroup, 'cpu.cfs_period_us'), String(periodMicroseconds));
    await writeFile(join(cpuGroup, 'cpu.cfs_quota_us'), String(quota));
    await writeFile(join(pidsGroup, 'pids.max'), processes);
  }
}

async function passOn(group: string): Promise<void> {
  const file = join(group, 'cgroup.subtree_control');
  const passed = await readFile(file, 'utf8').catch(() => '');
  const missing = controllers.filter((controller) => !passed.split(/\s+/).includes(controller));
  if (missing.length > 0) await writeFile(file, missing.map((controller) => `+${controller}`).join(' '));
}

/** Ends whatever still runs in the groups and removes them, with the folders above that they leave empty. Success when they are gone. */
export async function removeGroups(groups: readonly string[], machine: string, clock: Clock): Promise<void> {
  for (const group of groups) {
    await removeTree(group, machine, clock);
    // Other machines of this owner and other owners may still have groups there.
    for (const above of [dirname(group), dirname(dirname(group))]) await rmdir(above).catch(() => undefined);
  }
}

async function removeTree(group: string, machine: string, clock: Clock): Promise<void> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(group, entry.name), machine, clock);
  const deadline = clock.monotonic() + 5_000;
  for (;;) {
    const error = await rmdir(group).then(
      () => undefined,
      (failure: NodeJS.ErrnoException) => failure.code,
    );
    if (error === undefined || error === 'ENOENT') return;
    if (clock.monotonic() > deadline) throw sluiceError('machine_busy', { machine, group });
    await killMembers(group);
    await clock.sleep(20);
  }
}

async function killMembers(group: string): Promise<void> {
  const members = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of members.split('\n').map(Number)) {
    if (pid <= 1 || pid === process.pid) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
