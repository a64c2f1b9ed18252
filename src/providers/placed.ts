import type { Address } from '../stack/stack.ts';
import type { Operation, Provider } from './provider.ts';
import { placeOf, type ResourceState } from './resource-state.ts';

/**
 * The provider for callers that know resources by their own addresses: each call reaches it with the address by which it knows the
 * resource. Only `create` and `import` take the address as it is given, for there is no resource yet.
 */
export function placed(provider: Provider): Provider {
  const [move, lossOf] = [provider.move?.bind(provider), provider.lossOf?.bind(provider)];
  return {
    ...provider,
    read: (resource) => provider.read(inPlace(resource)),
    update: (request, operation) =>
      provider.update({ ...request, address: placeOf(request.current), current: inPlace(request.current) }, operation),
    delete: (resource, operation) => provider.delete(inPlace(resource), operation),
    suspend: (resource, signal) => provider.suspend(inPlace(resource), signal),
    resume: (resource, signal) => provider.resume(inPlace(resource), signal),
    ...(lossOf && { lossOf: (resource: ResourceState) => lossOf(inPlace(resource)) }),
    ...(move && { move: (resource: ResourceState, to: Address, operation: Operation) => move(inPlace(resource), to, operation) }),
  };
}

function inPlace(resource: ResourceState): ResourceState {
  return resource.placedAt === undefined ? resource : { ...resource, address: resource.placedAt };
}
