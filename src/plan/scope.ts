import type { Action, Scope } from './plan.ts';
import type { DesiredResource, RecordedResource } from './inputs.ts';
import type { Address } from '../stack/stack.ts';

export interface ScopeInputs {
  readonly targets: readonly Address[];
  readonly excludes: readonly Address[];
  readonly desired: ReadonlyMap<Address, DesiredResource>;
  readonly recorded: ReadonlyMap<Address, RecordedResource>;
  readonly actionOf: (address: Address) => Action | undefined;
}

/**
 * What a limited plan takes in. A target brings what it needs to exist; a target that goes brings everything that stands on it, for that
 * has to go or turn away first. What is excluded keeps out everything that stands on it, and keeps what it stands on itself from being
 * removed. Linear in resources and references.
 */
export function scopeOf(inputs: ScopeInputs): { readonly scope: Scope; readonly includes: (address: Address) => boolean } {
  const { targets, excludes, desired, recorded, actionOf } = inputs;
  const needs = (address: Address): readonly Address[] =>
    desired.get(address)?.block.references.flatMap((reference) => (reference.ordering ? [reference.address] : [])) ?? [];
  const stoodOn = (address: Address): readonly Address[] => recorded.get(address)?.state.dependencies ?? [];
  const desiredDependents = reversed(desired.keys(), needs);
  const recordedDependents = reversed(recorded.keys(), stoodOn);
  const goes = (address: Address): boolean => actionOf(address) === 'delete';

  const included =
    targets.length === 0
      ? undefined
      : closure(targets, (address) => [...needs(address), ...(goes(address) ? (recordedDependents.get(address) ?? []) : [])]);
  const excluded = closure(excludes, (address) => [...(desiredDependents.get(address) ?? []), ...stoodOn(address).filter(goes)]);
  const includes = (address: Address): boolean => (included?.has(address) ?? true) && !excluded.has(address);

  const named = new Set([...targets, ...excludes]);
  const also = (members: Iterable<Address>) => [...members].filter((address) => !named.has(address));
  return {
    includes,
    scope: { targets, excludes, alsoIncluded: also(included ?? []).filter(includes), alsoExcluded: also(excluded) },
  };
}

function reversed(addresses: Iterable<Address>, needs: (address: Address) => readonly Address[]): ReadonlyMap<Address, readonly Address[]> {
  const dependents = new Map<Address, Address[]>();
  for (const address of addresses) {
    for (const needed of needs(address)) {
      const known = dependents.get(needed);
      if (known) known.push(address);
      else dependents.set(needed, [address]);
    }
  }
  return dependents;
}

function closure(start: readonly Address[], next: (address: Address) => readonly Address[]): ReadonlySet<Address> {
  const found = new Set(start);
  // A set that grows while it is walked visits what is added.
  for (const address of found) for (const other of next(address)) found.add(other);
  return found;
}
