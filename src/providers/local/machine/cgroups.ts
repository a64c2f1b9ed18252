import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../../effects/clock.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import type { Drift } from '../../provider.ts';
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

/**
 * Limits of groups that are not what they were set to, by the name of the file; `enforced` and `missing` for groups that are gone. The
 * system rounds memory down to whole pages.
 */
export async function limitsDrift(support: CgroupSupport, groups: readonly string[], limits: MachineLimits): Promise<readonly Drift[]> {
  if (support.version === 'none') return [];
  if (groups.some((group) => !existsSync(group))) return [{ field: 'limits', applied: 'enforced', observed: 'missing' }];
  const drift: Drift[] = [];
  for (const { file, value } of limitFiles(support, groups, limits)) {
    const observed = await readFile(file, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
    const pages = (text: string): string => (/^\d{5,}$/.test(text) ? String(Math.floor(Number(text) / pageBytes) * pageBytes) : text);
    if (observed !== undefined && pages(observed) !== pages(value))
      drift.push({ field: `limits.${basename(file)}`, applied: value, observed });
  }
  return drift;
}

const pageBytes = 4096;

/** What stands in which file. */
function limitFiles(support: CgroupSupport, groups: readonly string[], limits: MachineLimits): readonly { file: string; value: string }[] {
  const quota = Math.max(1000, Math.round(limits.cpus * periodMicroseconds));
  const processes = String(Math.ceil(limits.cpus * processesPerCpu));
  const memory = String(limits.memoryBytes);
  const [first = '', second = '', third = ''] = groups;
  if (support.version === 2) {
    return [
      { file: join(first, 'memory.max'), value: memory },
      { file: join(first, 'cpu.max'), value: `${quota} ${periodMicroseconds}` },
      { file: join(first, 'pids.max'), value: processes },
    ];
  }
  return [
    { file: join(first, 'memory.limit_in_bytes'), value: memory },
    { file: join(second, 'cpu.cfs_period_us'), value: String(periodMicroseconds) },
    { file: join(second, 'cpu.cfs_quota_us'), value: String(quota) },
    { file: join(third, 'pids.max'), value: processes },
  ];
}

/** Creates the groups with the limits, or sets the limits of those that are there. What has a process in a group is held to them at once. */
export async function limitGroups(support: CgroupSupport, groups: readonly string[], limits: MachineLimits): Promise<void> {
  for (const group of groups) await mkdir(group, { recursive: true });
  if (support.version === 'none') return;
  if (support.version === 2) {
    const [group = ''] = groups;
    for (const above of [support.base, dirname(dirname(group)), dirname(group)]) await passOn(above);
  }
  for (const { file, value } of limitFiles(support, groups, limits)) await writeFile(file, value);
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
