import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blockOf, type LocalFixture, localFixture, operationOf, requestOf, stackOf, stateOf, valuesOf } from './local-fixture.ts';

describe('the local provider', () => {
  let local: LocalFixture;
  beforeEach(async () => {
    local = await localFixture();
  });
  afterEach(async () => {
    await local.remove();
  });

  it('records groups and networks, with notes about what they do not do here', async () => {
    const group = blockOf('resource_group', { name: 'support', location: 'eastus' });
    const network = blockOf('network', {
      name: 'agents',
      address_space: '10.0.0.0/16',
      subnets: [{ name: 'compute', address_prefix: '10.0.0.0/24' }],
    });
    const problems = await local.provider.check(stackOf(local.root, [group, network]));
    expect(problems.map(({ severity, message }) => [severity, message])).toEqual([
      ['note', "'location' of the resource_group is recorded, not enforced: everything runs on this machine."],
      ['note', "'subnets' of the network is recorded, not enforced: subnets are not isolated on this machine."],
    ]);
    const made = await local.provider.create(requestOf(local.root, group), operationOf('one'));
    expect(valuesOf(made)).toEqual({ name: 'support', location: 'eastus' });
    const state = stateOf(requestOf(local.root, group), made);
    expect(await local.provider.read(state)).toEqual({ status: 'present', drift: [] });
    await local.provider.delete(state, operationOf('end'));
    expect(await local.provider.read(state)).toEqual({ status: 'absent' });
    expect(readdirSync(local.home)).toEqual([]);
  });

  it('looks only at the kinds it makes', async () => {
    const service = blockOf('service', { name: 'a', source: 'a', command: ['a'], version: '1.0.0' });
    expect(await local.provider.check(stackOf(local.root, [service, blockOf('resource_group', { name: 'quiet' })]))).toEqual([]);
    expect(() => local.provider.replaceFields('service')).toThrow(expect.objectContaining({ code: 'unsupported_kind' }));
  });

  it('turns what the system throws into an error that is tried again', async () => {
    writeFileSync(join(local.home, 'local'), 'a file where a folder is needed');
    const request = requestOf(local.root, blockOf('resource_group', { name: 'support' }));
    await expect(local.provider.create(request, operationOf('one'))).rejects.toMatchObject({ code: 'local_failure', retry: 'retry' });
  });
});
