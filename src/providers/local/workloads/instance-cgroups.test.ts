import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { joinCgroups, machineCgroups } from './instance-cgroups.ts';

it("puts the process into the machine's group where no group of its own can take it, and makes nothing where there is none", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cgroups-'));
  const machine = join(folder, 'machine');
  await mkdir(machine);
  // A file in the place of the instance's group: the system refuses to make one.
  await writeFile(join(machine, 'agent-1'), '');
  const made = await joinCgroups(4711, 'agent-1', [machine, join(folder, 'missing')], { cpuMillis: 250 });
  expect([made, await readFile(join(machine, 'cgroup.procs'), 'utf8'), await readdir(folder)]).toEqual([[], '4711', ['machine']]);
  await rm(folder, { recursive: true });
});

it("sets the limits the group's controller knows, in the units of either version", async () => {
  const machine = await mkdtemp(join(tmpdir(), 'sluice-cgroups-'));
  const own = join(machine, 'agent-1');
  await mkdir(own);
  for (const file of ['cpu.max', 'memory.limit_in_bytes']) await writeFile(join(own, file), '');
  expect(await joinCgroups(4711, 'agent-1', [machine], { cpuMillis: 250, memoryBytes: 268_435_456 })).toEqual([own]);
  const content = await Promise.all(['cpu.max', 'memory.limit_in_bytes', 'cgroup.procs'].map((file) => readFile(join(own, file), 'utf8')));
  expect(content).toEqual(['25000 100000', '268435456', '4711']);
  expect((await readdir(own)).toSorted()).toEqual(['cgroup.procs', 'cpu.max', 'memory.limit_in_bytes']);
  await rm(machine, { recursive: true });
});

it('takes only what is a list of folders for the groups of a machine', () => {
  expect([machineCgroups(undefined), machineCgroups({ cgroups: 'x' }), machineCgroups({ cgroups: ['/a', 1] })]).toEqual([[], [], ['/a']]);
});
