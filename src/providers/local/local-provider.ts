import { resolve } from 'node:path';
import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import type { Kind } from '../../stack/stack.ts';
import type { DatabaseKeeper } from '../database-keeper.ts';
import type { CreateRequest, Provider } from '../provider.ts';
import type { ResourceState } from '../resource-state.ts';
import { createCacheHandler } from './cache/cache.ts';
import { createDatabaseHandler } from './database/database.ts';
import { createLocalDatabaseKeeper } from './database/keeper.ts';
import { createDatabasePlaces } from './database/places.ts';
import { createDerivedSecrets } from './derived-secrets.ts';
import { createVirtualMachineHandler } from './machine/virtual-machine.ts';
import { createNetworkHandler } from './network.ts';
import { createRecords, type Records } from './records.ts';
import { createResourceGroupHandler } from './resource-group.ts';
import type { LocalContext, ResourceHandler, SecretVariables } from './resource-handler.ts';
import { createLocalServers, type LocalServers } from './servers.ts';
import { createSecretHandler } from './secret/secret.ts';

export interface LocalDependencies {
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Source of the PATH on which servers are looked for; the process's own when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Source of `{ env }` secrets; `environment` when absent. */
  readonly secretVariables?: SecretVariables;
}

/** There is one of each for a home. */
export interface LocalPlatform {
  readonly provider: Provider;
  readonly databases: DatabaseKeeper;
  readonly servers: LocalServers;
}

/**
 * The provider that makes infrastructure real on this machine, and who looks after its databases between applies. Everything they keep is
 * under `home`; for root see `serversRoot`.
 */
export function createLocalPlatform(dependencies: LocalDependencies): LocalPlatform {
  const { clock, random, environment = process.env, secretVariables = { of: () => environment } } = dependencies;
  const home = resolve(dependencies.home);
  const context: LocalContext = {
    home,
    clock,
    random,
    environment,
    secretVariables,
    records: createRecords(home),
    secrets: createDerivedSecrets(home, random),
  };
  const places = createDatabasePlaces(context);
  const handlers: readonly ResourceHandler[] = [
    createResourceGroupHandler(context),
    createNetworkHandler(context),
    createVirtualMachineHandler(context),
    createDatabaseHandler(context, places),
    createCacheHandler(context),
    createSecretHandler(context),
  ];
  const provider = dispatch(handlers);
  return {
    provider: { ...provider, ...carryingOver(context.records, provider) },
    databases: createLocalDatabaseKeeper(context, places),
    servers: createLocalServers(context),
  };
}

function dispatch(handlers: readonly ResourceHandler[]): Provider {
  const byKind = new Map(handlers.map((handler) => [handler.kind, handler]));
  const handlerOf = (kind: Kind): ResourceHandler => {
    const handler = byKind.get(kind);
    if (!handler) throw sluiceError('unsupported_kind', { kind, provider: 'local' });
    return handler;
  };
  return {
    name: 'local',
    kinds: handlers.map((handler) => handler.kind),
    replaceFields: (kind) => handlerOf(kind).replaceFields,
    coexistence: (kind) => handlerOf(kind).coexistence,
    async check(stack) {
      const own = stack.blocks.filter((block) => byKind.has(block.kind));
      const problems = await Promise.all(
        own.map((block) => guarded(block.address, 'check', async () => handlerOf(block.kind).check(block, stack))),
      );
      return problems.flat();
    },
    fingerprint: (block, stack) =>
      guarded(block.address, 'read the content of', async () => (await handlerOf(block.kind).fingerprint?.(block, stack)) ?? {}),
    read: (resource) => guarded(resource.address, 'observe', async () => handlerOf(resource.kind).read(resource)),
    create: (request, operation) => guarded(request.address, 'create', async () => handlerOf(request.kind).create(request, operation)),
    update: (request, operation) => guarded(request.address, 'update', async () => handlerOf(request.kind).update(request, operation)),
    lossOf: (resource) => guarded(resource.address, 'observe', async () => (await handlerOf(resource.kind).lossOf?.(resource)) ?? []),
    delete: (resource, operation) => guarded(resource.address, 'delete', async () => handlerOf(resource.kind).delete(resource, operation)),
    suspend: (resource) => guarded(resource.address, 'suspend', async () => handlerOf(resource.kind).suspend?.(resource)),
    resume: (resource) => guarded(resource.address, 'resume', async () => handlerOf(resource.kind).resume?.(resource)),
  };
}

/** Everything a resource is on this machine hangs on its record: what moves or is taken over keeps all that its record names. */
function carryingOver(records: Records, provider: Provider): Required<Pick<Provider, 'move' | 'import'>> {
  return {
    move: ({ address }, to) => guarded(address, 'move', () => records.move(address, to)),
    import: (request, operation) =>
      guarded(request.address, 'take over', async () => {
        const { id, kind, environment, address } = request;
        if (id.includes('/')) {
          throw sluiceError('import_unsupported', { kind, provider: 'local', reason: 'it is taken over by its id, not by a folder' });
        }
        const known = (await records.list(kind)).filter((other) => other.address.startsWith(`${environment}/`));
        const found = known.find(({ record }) => record.id === id);
        if (!found) throw sluiceError('import_not_found', { kind, id, known: known.map(({ record }) => record.id) });
        if (found.address !== address) await records.move(found.address, address);
        // What is recorded here was made by an earlier Sluice over this home: bringing it up again changes no data.
        return provider.update({ ...request, current: { ...stateOf(request), id } }, operation);
      }),
  };
}

function stateOf({ address, environment, kind, name, declared, fingerprint, root }: CreateRequest): ResourceState {
  const at = new Date(0).toISOString();
  return {
    address,
    environment,
    kind,
    name,
    provider: 'local',
    status: 'ready',
    id: '',
    declared,
    fingerprint,
    resolved: {},
    outputs: {},
    dependencies: [],
    root,
    operation: '',
    createdAt: at,
    updatedAt: at,
  };
}

/** Only errors of the catalogue leave the provider; what the system threw (no space, no rights) becomes one that is tried again. */
async function guarded<Value>(address: string, action: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw sluiceError('local_failure', { address, action, reason }, { cause: error });
  }
}
