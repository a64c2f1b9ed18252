import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../digest/json.ts';
import { isAlive } from '../../effects/processes.ts';
import type { Kind } from '../../stack/stack.ts';
import { until } from '../../testing/conditions.ts';
import { findProgram } from '../../testing/requires.ts';
import { describeProviderContract } from '../contract/provider-contract.ts';
import type { ProviderSample, ProviderUnderTest } from '../contract/provider-sample.ts';
import { findCacheServer } from './cache/cache-server.ts';
import { findServer } from './database/postgres-server.ts';
import { blockOf, type LocalFixture, localFixture, requestOf } from './local-fixture.ts';

describeProviderContract('the local provider', async (): Promise<ProviderUnderTest> => {
  const local = await localFixture({ API_KEY: 'value' });
  const forget = (kind: Kind, name: string) => async () => rmSync(join(local.home, 'local', 'default', kind, `${name}.json`));
  const samples: ProviderSample[] = [
    { ...sampleOf(local, 'resource_group', { name: 'group', location: 'eastus' }), breakIt: forget('resource_group', 'group') },
    sampleOf(local, 'network', { name: 'net', address_space: '10.0.0.0/16' }, { subnets: [{ name: 'a', address_prefix: '10.0.0.0/24' }] }),
    {
      ...sampleOf(local, 'virtual_machine', { name: 'vm', size: 'Standard_B1s', image: 'any' }, { size: 'Standard_B2s' }),
      refersTo: ['default/resource_group/group'],
      breakIt: () => rm(join(local.home, 'machines'), { recursive: true }),
    },
    { ...sampleOf(local, 'secret', { name: 'made', value: { generated: { length: 32 } } }), breakIt: forget('secret', 'made') },
    sampleOf(local, 'secret', { name: 'given', value: { env: 'API_KEY' } }, { value: { generated: { length: 16 } } }),
    {
      ...sampleOf(local, 'database', { name: 'db', type: 'PostgreSQL', version: '15' }, { sku: 'GeneralPurpose_2_vCPU', storage_gb: 64 }),
      refersTo: ['default/resource_group/group'],
      breakIt: () => kill(() => findServer(join(local.home, 'databases', 'default', 'db'))),
    },
    ...cacheSamples(local),
  ];
  return { provider: local.provider, samples, dispose: () => local.remove() };
});

function cacheSamples(local: LocalFixture): readonly ProviderSample[] {
  if (findProgram('redis-server') === undefined) return [];
  const folder = join(local.home, 'caches', 'default', 'cache');
  return [
    {
      ...sampleOf(local, 'cache', { name: 'cache', type: 'Redis' }, { memory: '8Mi' }),
      breakIt: () => kill(() => findCacheServer(folder)),
    },
  ];
}

function sampleOf(local: LocalFixture, kind: Kind, fields: JsonObject & { name: string }, update?: JsonObject): ProviderSample {
  const { references: _none, ...create } = requestOf(local.root, blockOf(kind, fields));
  return { kind, create, ...(update && { update }) };
}

async function kill(find: () => ReturnType<typeof findServer>): Promise<void> {
  const server = await find();
  if (!server) throw new Error('no server to kill');
  process.kill(server.pid, 'SIGKILL');
  await until('the server is gone', () => !isAlive(server));
}
