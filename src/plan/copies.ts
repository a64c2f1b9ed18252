import { digestJson } from '../digest/digest.ts';
import { isJsonObject, type Json, jsonEquals } from '../digest/json.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import type { Decision } from './decide.ts';
import type { DesiredResource, RecordedResource } from './inputs.ts';
import type { Replacement } from './plan.ts';

/**
 * Where the other copy of a resource is recorded while there are two: first the new one that is being made; once that is ready the two
 * change places in one transaction, and it is the old one until nothing uses it any more. Another address for each copy that is replaced.
 */
export function copyAddress({ address, id, createdAt }: Pick<ResourceState, 'address' | 'id' | 'createdAt'>): Address {
  const start = address.lastIndexOf('/') + 1;
  const suffix = digestJson([address, id, createdAt]).slice('sha256:'.length, 'sha256:'.length + 8);
  return `${address.slice(0, start)}${address.slice(start).slice(0, 54)}-${suffix}` as Address;
}

/** Whether a resource uses, or may still use, the copy of `of` with this id. What is unfinished may use any. */
function usesCopy({ dependencies, status, standsOn }: ResourceState, of: Address, id: string): boolean {
  return dependencies.includes(of) && (status !== 'ready' || (standsOn?.[of] ?? id) === id);
}

/** The old copies among states, by the resource they were. */
export function oldCopies(states: Iterable<ResourceState>): ReadonlyMap<Address, readonly ResourceState[]> {
  const found = new Map<Address, ResourceState[]>();
  for (const state of states) {
    if (state.copy?.role !== 'old') continue;
    found.set(state.copy.of, [...(found.get(state.copy.of) ?? []), state]);
  }
  return found;
}

/** Which resources use which of the copies, both ways. Linear in resources plus references. */
export function usersOf(
  states: Iterable<ResourceState>,
  copies: ReadonlyMap<Address, readonly ResourceState[]>,
): { readonly usedBy: ReadonlyMap<Address, readonly Address[]>; readonly uses: ReadonlyMap<Address, readonly ResourceState[]> } {
  const usedBy = new Map<Address, Address[]>();
  const uses = new Map<Address, ResourceState[]>();
  if (copies.size === 0) return { usedBy, uses };
  for (const state of states) {
    for (const dependency of state.dependencies) {
      for (const copy of copies.get(dependency) ?? []) {
        if (!usesCopy(state, dependency, copy.id)) continue;
        usedBy.set(copy.address, [...(usedBy.get(copy.address) ?? []), state.address]);
        uses.set(state.address, [...(uses.get(state.address) ?? []), copy]);
      }
    }
  }
  return { usedBy, uses };
}

/** How something that exists is replaced; undefined for what does not exist. */
export function replacementOf(
  decision: Decision | undefined,
  desired: DesiredResource | undefined,
  record: RecordedResource | undefined,
  taken: (address: Address) => boolean,
): Replacement | undefined {
  if (decision?.action !== 'replace' || desired === undefined || record === undefined || record.state.id === '') return undefined;
  const { state } = record;
  const because = obstacle(desired, state) ?? (taken(copyAddress(state)) ? 'the name for a second copy is taken' : undefined);
  return because === undefined ? { order: 'create_first', oldCopy: copyAddress(state) } : { order: 'delete_first', because };
}

/** Why the new copy cannot be there before the old one is gone. */
function obstacle({ block, provider, coexistence }: DesiredResource, state: ResourceState): string | undefined {
  if (provider !== state.provider) return 'two providers do not know of each other';
  if (coexistence === undefined) return `its provider keeps one ${block.kind} of a name`;
  const shared = coexistence.exclusive.filter((path) => {
    const [before, after] = [valueAt(state.declared, path.split('.')), valueAt(block.fields, path.split('.'))];
    return before !== undefined && before !== null && jsonEquals(before, after);
  });
  return shared.length === 0 ? undefined : `both would have the same ${shared.join(', ')}`;
}

function valueAt(value: Json | undefined, [step, ...rest]: readonly string[]): Json | undefined {
  if (step === undefined) return value;
  return isJsonObject(value) && Object.hasOwn(value, step) ? valueAt(value[step], rest) : undefined;
}
