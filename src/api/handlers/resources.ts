import { sluiceError } from '../../errors/sluice-error.ts';
import type { ResourceState } from '../../providers/resource-state.ts';
import type { Address } from '../../stack/stack.ts';
import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';
import type { ResourceView } from '../schemas/resource.ts';

const collection = 'resources';

export function resourceHandlers({
  store,
  databases,
  records,
}: ApiDependencies): Pick<Handlers, 'listResources' | 'getResource' | 'forgetResource'> {
  const viewOf = (state: ResourceState): ResourceView => {
    const conditions = databases.conditions(state.address);
    return { ...recordedView(state), ...(conditions.length > 0 && { conditions }) };
  };
  const find = async (address: Address): Promise<ResourceView> => {
    const document = await store.get(collection, address);
    if (document === undefined) throw sluiceError('unknown_resource', { address });
    return viewOf(document.value as unknown as ResourceState);
  };

  return {
    // The slash ends the prefix: `prod` does not see what is in `production`.
    listResources: async ({ parameters }) =>
      (await store.list(collection, `${parameters.environment}/`)).map(({ value }) => viewOf(value as unknown as ResourceState)),
    getResource: ({ parameters: { environment, kind, name } }) => find(`${environment}/${kind}/${name}`),
    forgetResource: async ({ parameters: { environment, kind, name }, actor }) => {
      const address: Address = `${environment}/${kind}/${name}`;
      const forgotten = await find(address);
      await records.forget(address, { key: actor.key, name: actor.name });
      return forgotten;
    },
  };
}

/** Named one by one: a field that is added to the state is not shown before somebody has decided that it may be. */
function recordedView(state: ResourceState): ResourceView {
  return {
    address: state.address,
    environment: state.environment,
    kind: state.kind,
    name: state.name,
    provider: state.provider,
    status: state.status,
    id: state.id,
    declared: state.declared,
    outputs: Object.fromEntries(
      Object.entries(state.outputs).map(([name, output]) => [
        name,
        'sealed' in output ? { secret: true as const } : { value: output.value },
      ]),
    ),
    dependencies: state.dependencies,
    ...(state.copy && { copy: state.copy }),
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
  };
}
