import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../digest/json.ts';
import { systemClock } from '../../effects/clock.ts';
import { systemRandom } from '../../effects/random.ts';
import { createOutputResolver } from '../../engine/output-resolver.ts';
import { createDockerImages } from '../../providers/docker/docker-images.ts';
import { createEngine } from '../../providers/docker/engine.ts';
import { createLocalWorkloads } from '../../providers/local/workloads/local-workloads.ts';
import type { CreateRequest, Operation, Provider, ReferencedResource } from '../../providers/provider.ts';
import type { ResourceState } from '../../providers/resource-state.ts';
import type { Workloads } from '../../providers/workloads.ts';
import { createVault } from '../../secrets/file-vault.ts';
import type { Vault } from '../../secrets/vault.ts';
import { loadStack } from '../../stack/load.ts';
import type { ResolvedStack } from '../../stack/stack.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import type { EventLog } from '../../telemetry/events.ts';
import { createServiceController, type ServiceController } from '../service-controller.ts';
import { createServiceProvider } from '../service-provider.ts';
import { createMemoryMigrations, type MemoryMigrations } from '../simulation/memory-migrations.ts';
import { createMemoryTraffic, type MemoryTraffic } from '../simulation/memory-traffic.ts';

export const address = 'default/service/agent' as const;

/** Real processes and files under a temporary folder; the gateway is in memory. */
export interface ServiceFixture {
  readonly root: string;
  readonly home: string;
  readonly store: Store;
  readonly vault: Vault;
  readonly events: EventLog;
  readonly traffic: MemoryTraffic;
  readonly provider: Provider;
  readonly controller: ServiceController;
  readonly workloads: Workloads;
  readonly migrations: MemoryMigrations;
  /** Writes the stack's file and loads it. `extra` are lines of the service's block. */
  stack(extra?: readonly string[], others?: string): Promise<ResolvedStack>;
  request(stack: ResolvedStack): Promise<CreateRequest>;
  /** Plans and creates in one. */
  apply(extra?: readonly string[], operation?: Partial<Operation>): Promise<JsonObject>;
  /** As the engine would remember the service. */
  resource(): Promise<ResourceState>;
  /** Another controller over the same store and processes, as after a `kill -9` of the first. */
  replaceController(): Promise<void>;
  dispose(): Promise<void>;
}

export async function createServiceFixture(): Promise<ServiceFixture> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-service-')));
  const [root, home] = [join(folder, 'stack'), join(folder, 'home')];
  await cp(join(import.meta.dirname, 'agent.js'), join(root, 'agent', 'agent.js'), { recursive: true });
  const store = createMemoryStore();
  const [clock, random] = [systemClock, systemRandom];
  const vault = createVault(random.bytes(32), random);
  const events = createEventLog({ store, clock });
  const traffic = createMemoryTraffic();
  const resolver = createOutputResolver({ store, vault });
  const migrations = createMemoryMigrations();
  const images = createDockerImages({ engine: createEngine({}), home, environment: {} });
  let request: CreateRequest | undefined;

  const compose = () => {
    const workloads = createLocalWorkloads({ home, clock, random });
    const controller = createServiceController({ store, vault, workloads, traffic, resolver, events, clock, random });
    return {
      workloads,
      controller,
      provider: createServiceProvider({ controller, store, vault, traffic, clock, home, migrations, images }),
    };
  };
  let parts = compose();
  await parts.controller.start();

  const fixture: ServiceFixture = {
    root,
    home,
    store,
    vault,
    events,
    traffic,
    migrations,
    get provider() {
      return parts.provider;
    },
    get controller() {
      return parts.controller;
    },
    get workloads() {
      return parts.workloads;
    },
    async stack(extra = [], others = '') {
      const lines = ['name: agent', 'source: agent', 'command: [node, agent.js]', 'version: 1.0.0', ...extra];
      await writeFile(join(root, 'stack.yaml'), `service:\n${lines.map((line) => `  ${line}\n`).join('')}${others}`);
      const loaded = await loadStack(root);
      if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
      return loaded.value;
    },
    async request(stack) {
      const block = stack.blocks.find(({ kind }) => kind === 'service');
      if (!block) throw new Error('the stack has no service');
      const fields = await resolver.resolve('default', block.fields);
      const fingerprint = await parts.provider.fingerprint(block, stack);
      request = {
        address,
        environment: 'default',
        kind: 'service',
        name: 'agent',
        fields,
        declared: block.fields,
        fingerprint,
        root,
        references: new Map([[databaseReference.address, databaseReference]]),
      };
      return request;
    },
    async apply(extra, operation) {
      const applied = await parts.provider.create(await fixture.request(await fixture.stack(extra)), newOperation(operation));
      return Object.fromEntries(Object.entries(applied.outputs).map(([name, { value }]) => [name, value]));
    },
    async resource() {
      if (!request) throw new Error('nothing was applied yet');
      const { kind, name, environment, declared, fingerprint } = request;
      const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };
      const rest = {
        provider: 'service',
        status: 'ready',
        id: 'agent',
        resolved: {},
        outputs: {},
        dependencies: [],
        operation: '',
      } as const;
      return { address, kind, name, environment, declared, fingerprint, root, ...rest, ...times };
    },
    async replaceController() {
      await parts.controller.stop();
      parts = compose();
      await parts.controller.start();
    },
    async dispose() {
      await parts.controller.stop();
      for (const { id } of await parts.workloads.list()) await parts.workloads.stop(id, 0);
      // The record of an instance may be written a moment after it has ended.
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
  return fixture;
}

/** What a service that is given `${database.db.url}` refers to; nothing listens there. */
const databaseReference: ReferencedResource = {
  address: 'default/database/db',
  kind: 'database',
  name: 'db',
  id: 'db',
  declared: {},
  outputs: { url: 'postgres://agent:secret@127.0.0.1/db' },
};

let operations = 0;

export function newOperation(extra: Partial<Operation> = {}): Operation {
  operations += 1;
  return { id: `operation-${operations}`, signal: new AbortController().signal, progress: () => undefined, ...extra };
}
