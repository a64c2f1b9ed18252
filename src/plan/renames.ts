import { canonicalJson, type JsonObject, jsonEquals } from '../digest/json.ts';
import type { Address } from '../stack/stack.ts';
import { type Decision, localAddress } from './decide.ts';
import type { DesiredResource, RecordedResource } from './inputs.ts';

/** A creation that looks like the continuation of a deletion. */
export interface LikelyRename {
  readonly from: Address;
  readonly to: Address;
}

/** Share of top-level fields, the name aside, that have to be the same. */
const likeness = 0.6;
/** Deletions a creation is compared with beyond those that are the same to the letter: bounds the work for large stacks. */
const mostCompared = 50;
/** Creations that are compared at all: a plan with more of them is no rename. */
const mostLookedAt = 200;

/**
 * Pairs of a new resource and one that goes that are of one kind and alike, each in one pair only. First those with the same fields, then
 * the most alike. Linear in resources.
 */
export function likelyRenames(
  decisions: ReadonlyMap<Address, Decision>,
  desired: ReadonlyMap<Address, DesiredResource>,
  recorded: ReadonlyMap<Address, RecordedResource>,
): readonly LikelyRename[] {
  const created = [...decisions].flatMap(([address, { action }]) => {
    const resource = desired.get(address);
    return action === 'create' && resource && !recorded.has(address) ? [resource] : [];
  });
  if (created.length === 0) return [];
  const going = new Map<string, Map<Address, JsonObject>>();
  const same = new Map<string, Address[]>();
  for (const [address, { action }] of decisions) {
    const state = recorded.get(address)?.state;
    if (action !== 'delete' || state === undefined || state.id === '' || state.copy !== undefined) continue;
    const fields = unnamed(state.declared);
    const ofKind = going.get(state.kind) ?? new Map<Address, JsonObject>();
    going.set(state.kind, ofKind.set(address, fields));
    const key = `${state.kind} ${canonicalJson(fields)}`;
    same.set(key, [...(same.get(key) ?? []), address].slice(0, mostCompared));
  }
  if (going.size === 0) return [];
  const found: LikelyRename[] = [];
  const take = (from: Address | undefined, to: DesiredResource): boolean => {
    if (from === undefined) return false;
    found.push({ from, to: to.block.address });
    going.get(to.block.kind)?.delete(from);
    return true;
  };
  const others = created.filter((resource) => {
    const { kind, fields } = resource.block;
    const twins = same.get(`${kind} ${canonicalJson(unnamed(fields))}`) ?? [];
    return !take(
      twins.find((address) => going.get(kind)?.has(address)),
      resource,
    );
  });
  for (const resource of others.slice(0, mostLookedAt)) {
    const fields = unnamed(resource.block.fields);
    const near = first(going.get(resource.block.kind) ?? [], mostCompared)
      .map(([address, other]) => ({ address, alike: alike(fields, other) }))
      .filter((candidate) => candidate.alike >= likeness)
      .toSorted((left, right) => right.alike - left.alike);
    take(near[0]?.address, resource);
  }
  return found;
}

/** The entry of `moved` that makes it a rename. */
export function moveEntry({ from, to }: LikelyRename): string {
  return `moved: [{ from: ${localAddress(from)}, to: ${localAddress(to)} }]`;
}

function first<Item>(items: Iterable<Item>, count: number): readonly Item[] {
  const taken: Item[] = [];
  for (const item of items) {
    if (taken.length === count) break;
    taken.push(item);
  }
  return taken;
}

function unnamed(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== 'name'));
}

function alike(left: JsonObject, right: JsonObject): number {
  const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
  if (fields.size === 0) return 1;
  return [...fields].filter((field) => jsonEquals(left[field], right[field])).length / fields.size;
}
