import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cgroupSupport } from './cgroup-support.ts';
import { limitGroups, machineGroups } from './cgroups.ts';

const all = 'cpu memory pids';

/** Folders stand in for the hierarchies that this system may not have: what matters is which files are written where. */
describe.skipIf(process.platform !== 'linux')('control groups', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-cgroup-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function group(path: string, files: Readonly<Record<string, string>>): void {
    mkdirSync(join(root, path), { recursive: true });
    for (const [name, text] of Object.entries({ 'cgroup.procs': '', ...files })) writeFileSync(join(root, path, name), text);
  }
  const supportFor = (own: string) => {
    writeFileSync(join(root, 'own'), own);
    return cgroupSupport(root, join(root, 'own'));
  };

  it('of version 1 are used when every controller is there', async () => {
    for (const controller of ['memory', 'cpu']) group(controller, {});
    expect(supportFor('4:memory:/')).toMatchObject({
      version: 'none',
      reason: 'the control groups for pids are missing or not ours to change',
    });
    group('pids', {});
    const support = supportFor('4:memory:/');
    const groups = machineGroups(support, 'home', 'default.vm');
    expect(groups).toEqual(['memory', 'cpu', 'pids'].map((controller) => join(root, controller, 'sluice', 'home', 'default.vm')));
    await limitGroups(support, groups, { cpus: 0.5, memoryBytes: 1024 });
    expect(readFileSync(join(groups[1] ?? '', 'cpu.cfs_quota_us'), 'utf8')).toBe('50000');
  });

  it('of version 2 are used at the top by root, which passes the controllers on', async () => {
    group('.', { 'cgroup.controllers': all, 'cgroup.subtree_control': 'memory' });
    const support = supportFor('0::/system.slice/x.service');
    expect(support).toEqual({ version: 2, base: root });
    const groups = machineGroups(support, 'home', 'default.vm');
    await limitGroups(support, groups, { cpus: 8, memoryBytes: 2 ** 35 });
    const [own = ''] = groups;
    expect(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8')).toBe('+cpu +pids');
    expect(readFileSync(join(root, 'sluice', 'home', 'cgroup.subtree_control'), 'utf8')).toBe('+memory +cpu +pids');
    expect(['cpu.max', 'memory.max', 'pids.max'].map((file) => readFileSync(join(own, file), 'utf8'))).toEqual([
      '800000 100000',
      '34359738368',
      '8192',
    ]);
  });

  it('of version 2 are used in the group that is delegated to the user, if its controllers are', () => {
    group('.', { 'cgroup.controllers': all, 'cgroup.subtree_control': 'memory', 'cgroup.type': 'domain' });
    group('user/app', { 'cgroup.controllers': all, 'cgroup.subtree_control': '', 'cgroup.type': 'domain' });
    expect(supportFor('0::/user/app')).toMatchObject({ version: 'none' });
    group('user', { 'cgroup.controllers': all, 'cgroup.subtree_control': all, 'cgroup.type': 'domain' });
    expect(supportFor('0::/user/app')).toEqual({ version: 2, base: join(root, 'user') });
  });
});
