import type { Address } from '../stack/stack.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { oldCopies, replacementOf, usersOf } from './copies.ts';
import { type Decision, localAddress } from './decide.ts';
import type { DesiredResource, RecordedResource } from './inputs.ts';
import type { Replacement } from './plan.ts';

type Desired = ReadonlyMap<Address, DesiredResource>;
type Recorded = ReadonlyMap<Address, RecordedResource>;
type Decisions = ReadonlyMap<Address, Decision>;

/** A plan's decisions with what its replacements leave: old copies, which go once all that used them have turned. */
export interface Turnover {
  readonly decisions: Decisions;
  /** What is recorded, and the old copies there will be. */
  readonly recorded: Recorded;
  /** All that stands on something: the states of `recorded`, and of unfinished new copies, each as the resource it is made for. */
  readonly states: readonly ResourceState[];
  readonly replacements: ReadonlyMap<Address, Replacement>;
  /** Of every old copy, what uses it. */
  readonly usedBy: ReadonlyMap<Address, readonly Address[]>;
}

export function replacementIn(
  address: Address,
  { decisions, desired, recorded }: { readonly decisions: Decisions; readonly desired: Desired; readonly recorded: Recorded },
): Replacement | undefined {
  const taken = (other: Address): boolean =>
    desired.has(other) || (recorded.has(other) && recorded.get(other)?.state.copy?.role !== 'next');
  return replacementOf(decisions.get(address), desired.get(address), recorded.get(address), taken);
}

/** What becomes of a recorded copy; `goesOn` when a replacement of this plan continues with it. */
export function decideCopy({ of, role }: NonNullable<ResourceState['copy']>, goesOn: boolean): Decision {
  if (goesOn) return { action: 'none', reason: '', fields: [] };
  const reason = role === 'old' ? `the old copy of ${localAddress(of)}` : `a new copy of ${localAddress(of)} that is not wanted any more`;
  return { action: 'delete', reason, fields: [] };
}

/** Linear in resources plus references. */
export function turnOver(given: Decisions, desired: Desired, before: Recorded): Turnover {
  const decisions = new Map(given);
  const recorded = new Map(before);
  const replacements = new Map<Address, Replacement>();
  const unfinished: ResourceState[] = [];
  for (const address of given.keys()) {
    const replacement = replacementIn(address, { decisions: given, desired, recorded: before });
    if (replacement === undefined) continue;
    replacements.set(address, replacement);
    if (replacement.oldCopy === undefined) continue;
    const next = before.get(replacement.oldCopy)?.state;
    if (next !== undefined) unfinished.push({ ...next, address });
    recorded.set(replacement.oldCopy, becomingOld(replacement.oldCopy, before.get(address) as RecordedResource));
    decisions.set(replacement.oldCopy, decideCopy({ of: address, role: 'old' }, false));
  }
  const states = [...Array.from(recorded.values(), ({ state }) => state), ...unfinished];
  const copies = oldCopies(states);
  const { usedBy } = usersOf(states, copies);
  const kept = keep(decisions, [...copies.values()].flat(), usedBy);
  for (const [address, replacement] of replacements) {
    const { oldCopy } = replacement;
    if (oldCopy === undefined) continue;
    const staysFor = kept.get(oldCopy);
    const turns = [...new Set(usedBy.get(oldCopy))].filter((user) => !staysFor?.includes(user));
    replacements.set(address, { ...replacement, turns, ...(staysFor && { staysFor }) });
  }
  return { decisions, recorded, states, replacements, usedBy };
}

function becomingOld(address: Address, { state }: RecordedResource): RecordedResource {
  const name = address.slice(address.lastIndexOf('/') + 1);
  return { state: { ...state, address, name, copy: { of: state.address, role: 'old' } }, version: 0 };
}

/** Keeps every copy that something which this plan does not turn still uses; resolves with those users. */
function keep(
  decisions: Map<Address, Decision>,
  copies: readonly ResourceState[],
  usedBy: ReadonlyMap<Address, readonly Address[]>,
): ReadonlyMap<Address, readonly Address[]> {
  const kept = new Map<Address, readonly Address[]>();
  const stays = (user: Address): boolean =>
    !['create', 'adopt', 'update', 'replace', 'delete'].includes(decisions.get(user)?.action ?? 'none');
  const uses = new Map<Address, Address[]>();
  for (const { address } of copies) {
    for (const user of usedBy.get(address) ?? []) uses.set(user, [...(uses.get(user) ?? []), address]);
  }
  // A copy that stays keeps those it uses itself: the list grows while it is walked.
  const looked = copies.map(({ address }) => address);
  for (const address of looked) {
    const staying = (usedBy.get(address) ?? []).filter(stays);
    if (staying.length === 0 || kept.has(address)) continue;
    kept.set(address, staying);
    decisions.set(address, { action: 'none', reason: `still used by ${staying.map(localAddress).join(', ')}`, fields: [] });
    looked.push(...(uses.get(address) ?? []));
  }
  return kept;
}
