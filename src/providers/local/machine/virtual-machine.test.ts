import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  blockOf,
  type LocalFixture,
  localFixture,
  operationOf,
  requestOf,
  stackOf,
  stateOf,
  updateOf,
  valuesOf,
} from '../local-fixture.ts';
import { systemClock } from '../../../effects/clock.ts';
import { cgroupSupport } from './cgroup-support.ts';
import { removeGroups } from './cgroups.ts';
import { canListenOn } from './loopback.ts';

const support = cgroupSupport();
const ownAddresses = await canListenOn('127.0.0.4');
const small = { name: 'vm', size: 'Standard_B1s', image: 'Ubuntu', network_interface: { private_ip: '10.0.0.4' } };

describe('a virtual machine on this machine', () => {
  let local: LocalFixture;
  beforeEach(async () => {
    local = await localFixture();
  });
  afterEach(async () => {
    await local.remove();
  });

  const make = async (fields: Parameters<typeof blockOf>[1] = small, environment = 'default') => {
    const request = requestOf(local.root, blockOf('virtual_machine', fields, environment));
    const applied = await local.provider.create(request, operationOf('one'));
    const remove = (): Promise<void> => local.provider.delete(stateOf(request, applied), operationOf('end'));
    return { request, applied, values: valuesOf(applied), state: stateOf(request, applied), remove };
  };

  it('has its address, capacity and folder, and leaves nothing when it is deleted', async () => {
    const made = await make();
    expect(made.values).toMatchObject({
      address: ownAddresses ? '127.0.0.4' : '127.0.0.1',
      private_ip: '10.0.0.4',
      cpus: 1,
      memory_bytes: 2 ** 30,
      directory: join(local.home, 'machines', 'default', 'vm'),
    });
    expect(existsSync(made.values['directory'] as string)).toBe(true);
    await made.remove();
    expect(await local.provider.read(made.state)).toEqual({ status: 'absent' });
    expect(readdirSync(local.home)).toEqual([]);
    for (const group of made.values['cgroups'] as string[]) expect(existsSync(group)).toBe(false);
  });

  it.skipIf(!ownAddresses)('has an address that no other machine has, in whatever environment, and keeps it', async () => {
    const made = await Promise.all([make(small, 'staging'), make(small, 'production'), make({ ...small, name: 'other' }, 'production')]);
    expect(made.map(({ values }) => values['address'] as string).toSorted((left, right) => left.localeCompare(right))).toEqual([
      '127.0.0.4',
      '127.1.0.4',
      '127.2.0.4',
    ]);
    await made[0]?.remove();
    for (const { request, applied, remove } of made.slice(1)) {
      expect(await local.provider.update(updateOf(request, applied), operationOf('two'))).toEqual(applied);
      await remove();
    }
  });

  it('keeps its identity when its size changes', async () => {
    const made = await make();
    const larger = await local.provider.update(updateOf(made.request, made.applied, { size: 'Standard_B2s' }), operationOf('two'));
    expect(larger.id).toBe(made.applied.id);
    expect(valuesOf(larger)).toMatchObject({ cpus: 2, memory_bytes: 4 * 2 ** 30, address: made.values['address'] });
    await made.remove();
  });

  it.skipIf(support.version !== 1)('holds what runs in it to its memory, processors and number of processes', async () => {
    const made = await make();
    const [memory = '', cpu = '', pids = ''] = made.values['cgroups'] as string[];
    expect(readFileSync(join(memory, 'memory.limit_in_bytes'), 'utf8').trim()).toBe(String(2 ** 30));
    expect(readFileSync(join(cpu, 'cpu.cfs_quota_us'), 'utf8').trim()).toBe('100000');
    expect(readFileSync(join(pids, 'pids.max'), 'utf8').trim()).toBe('1024');
    await made.remove();
  });

  it.skipIf(support.version === 'none')('ends what still runs in it when it is deleted', async () => {
    const made = await make();
    const child = spawn('sleep', ['600']);
    const ended = once(child, 'exit');
    for (const group of made.values['cgroups'] as string[]) writeFileSync(join(group, 'cgroup.procs'), String(child.pid));
    await made.remove();
    expect((await ended)[1]).toBe('SIGKILL');
  });

  it.skipIf(support.version === 'none')(
    'has lost its limits after a restart of the system, and gets them back when it is resumed',
    async () => {
      const made = await make();
      await removeGroups(made.values['cgroups'] as string[], 'vm', systemClock);
      expect(await local.provider.read(made.state)).toMatchObject({
        drift: [{ field: 'limits', applied: 'enforced', observed: 'missing' }],
      });
      await local.provider.resume(made.state);
      expect(await local.provider.read(made.state)).toEqual({ status: 'present', drift: [] });
      await made.remove();
    },
  );
});

const check = async (fields: object) => {
  const local = await localFixture();
  const block = blockOf('virtual_machine', { ...small, ...fields });
  const problems = await local.provider.check(stackOf(local.root, [block]));
  expect(readdirSync(local.home)).toEqual([]);
  await local.remove();
  return problems;
};

describe('the plan of a virtual machine', () => {
  it('has notes only about what is so on this machine', async () => {
    const fields = (await check({})).map(({ severity, message }) => [severity, /^'([a-z_]+)'/.exec(message)?.[1]]);
    expect(fields).toContainEqual(['note', 'image']);
    expect(fields.some(([, field]) => field === 'size')).toBe(support.version === 'none');
    expect(fields.some(([, field]) => field === 'network_interface')).toBe(!ownAddresses);
  });

  it('says when the machine declares more than there is', async () => {
    const messages = (await check({ size: 'Standard_E96_v5' })).map(({ message }) => message);
    expect(messages.some((message) => message.startsWith("'size Standard_E96_v5' on this machine: it has only"))).toBe(true);
  });

  it('is refused for an unknown size, with the nearest ones', async () => {
    const [problem] = await check({ size: 'Standard_D8_v9' });
    expect(problem).toMatchObject({ severity: 'error', code: 'unknown_machine_size' });
    expect(problem?.help).toContain('Standard_D8_v');
  });

  it('is refused for an address on the internet, which this machine cannot give', async () => {
    const errors = (await check({ network_interface: { public_ip: 'static' } })).filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code }) => code)).toEqual(['unsupported_field']);
  });
});
