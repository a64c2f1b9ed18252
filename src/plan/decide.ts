import type { ResourceStatus } from '../providers/resource-state.ts';
import type { Address, Kind } from '../stack/stack.ts';
import { diffLeaves, type LeafDifference, touches } from './diff.ts';
import type { DesiredResource, RecordedResource } from './inputs.ts';
import { maskField } from './mask.ts';
import type { Action, FieldChange } from './plan.ts';

export interface Decision {
  readonly action: Action;
  readonly reason: string;
  readonly fields: readonly FieldChange[];
}

/** What this plan does with the dependencies decided so far. */
export type DecidedActions = ReadonlyMap<Address, Action>;

/**
 * What has to happen so that `recorded` becomes `desired`. Its dependencies must have been decided before; `turnsFrom` are those of which
 * it still uses an old copy.
 */
export function decide(
  desired: DesiredResource,
  recorded: RecordedResource | undefined,
  dependencies: DecidedActions,
  turnsFrom: readonly Address[] = [],
): Decision {
  const decision = decideInPlace(desired, recorded, dependencies, turnsFrom);
  if (recorded?.from === undefined || decision.action !== 'none') return decision;
  return { action: 'move', reason: `was ${localAddress(recorded.from)}`, fields: [] };
}

function decideInPlace(
  desired: DesiredResource,
  recorded: RecordedResource | undefined,
  dependencies: DecidedActions,
  turnsFrom: readonly Address[],
): Decision {
  if (recorded === undefined) return created(desired, 'new');
  const { state, observation } = recorded;
  if (state.provider !== desired.provider) {
    const change = { path: 'provider', before: state.provider, after: desired.provider, forcesReplacement: true, origin: 'stack' } as const;
    return { action: 'replace', reason: `moves from the provider ${state.provider} to ${desired.provider}`, fields: [change] };
  }
  if (state.id === '') return created(desired, state.status === 'failed' ? 'its creation failed' : 'its creation did not finish');
  if (observation?.status === 'absent') return created(desired, 'no longer there');
  const fields = fieldChanges(desired, recorded, dependencies, turnsFrom);
  const forcing = fields.filter(({ forcesReplacement }) => forcesReplacement);
  if (forcing.length > 0) return { action: 'replace', reason: `${names(forcing)} cannot change in place`, fields };
  const unfinished = unfinishedReasons[state.status];
  if (fields.length === 0 && unfinished === undefined) return { action: 'none', reason: '', fields };
  return { action: 'update', reason: [...(unfinished ? [unfinished] : []), ...reasons(fields)].join('; '), fields };
}

function created({ block, fingerprint }: DesiredResource, reason: string): Decision {
  const { kind, fields } = block;
  const stated = diffLeaves({}, fields).map((leaf) => fieldChange(kind, leaf, block.declares(leaf.path) ? 'stack' : 'default', false));
  const content = diffLeaves({}, fingerprint).map((leaf) => fieldChange(kind, leaf, 'content', false));
  return { action: 'create', reason, fields: [...stated, ...content] };
}

function fieldChanges(
  desired: DesiredResource,
  recorded: RecordedResource,
  dependencies: DecidedActions,
  turnsFrom: readonly Address[],
): readonly FieldChange[] {
  const { block, fingerprint, replaceFields } = desired;
  const { state, observation } = recorded;
  const changes = new Map<string, FieldChange>();
  const add = (leaf: LeafDifference & Pick<FieldChange, 'because'>, origin: FieldChange['origin'], mayForce = true): void => {
    const key = origin === 'content' ? `content ${leaf.path}` : leaf.path;
    if (!changes.has(key)) changes.set(key, fieldChange(block.kind, leaf, origin, mayForce && touches(replaceFields, leaf.path)));
  };
  for (const leaf of diffLeaves(state.declared, block.fields)) add(leaf, 'stack');
  // Content that is no longer named shows by the field that has named it.
  for (const leaf of diffLeaves(state.fingerprint, fingerprint)) if (leaf.after !== undefined) add(leaf, 'content');
  for (const { path, reads, key, address, digest } of desired.dependencyValues) {
    const action = dependencies.get(address);
    if (digest !== undefined && action !== 'create' && action !== 'replace' && state.resolved[key] === digest) continue;
    // A dependency that merely came back keeps those that refer to it; one that is replaced may not.
    add({ path, after: key }, 'dependency', reads === 'output' || action === 'replace');
  }
  for (const { field, applied, observed, because } of observation?.status === 'present' ? observation.drift : []) {
    // What differs is put back; but an output is what the provider says, and what is recorded follows it.
    const [before, after] = field.startsWith('outputs.') ? [applied, observed] : [observed, applied];
    add({ path: field, before, after, ...(because !== undefined && { because }) }, 'drift');
  }
  // What still uses an old copy turns, even where both copies give it the same values.
  if (changes.size === 0) for (const address of turnsFrom) add({ path: localAddress(address), after: 'the new copy' }, 'dependency', false);
  return [...changes.values()];
}

/** `kind/name`. */
export function localAddress(address: Address): string {
  return address.slice(address.indexOf('/') + 1);
}

const unfinishedReasons: Readonly<Record<ResourceStatus, string | undefined>> = {
  ready: undefined,
  creating: 'its creation did not finish',
  updating: 'its last update did not finish',
  deleting: 'its deletion did not finish',
  failed: 'its last change failed',
};

function reasons(fields: readonly FieldChange[]): readonly string[] {
  const by = (origin: FieldChange['origin']) => fields.filter((field) => field.origin === origin);
  const [stack, content, drift, dependency] = [by('stack'), by('content'), by('drift'), by('dependency')];
  const stopped = drift.find(({ path }) => path === 'state');
  const others = drift.filter(({ path, because }) => path !== 'state' && because === undefined);
  return [
    ...(stack.length > 0 ? [`${names(stack)} changed`] : []),
    ...(content.length > 0 ? [`content of ${names(content)} changed`] : []),
    ...(stopped ? [typeof stopped.before === 'string' ? stopped.before : 'not running'] : []),
    ...drift.flatMap(({ path, because }) => (because === undefined ? [] : [`${path} ${because}`])),
    ...(others.length > 0 ? [`${names(others)} changed outside`] : []),
    ...(dependency.length > 0 ? [`${names(dependency)} ${dependency.length === 1 ? 'follows' : 'follow'} a dependency`] : []),
  ];
}

/** Up to three paths by name, the rest by number. */
function names(fields: readonly FieldChange[]): string {
  const shown = fields.slice(0, 3).map(({ path }) => path);
  const more = fields.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

function fieldChange(
  kind: Kind,
  leaf: LeafDifference & Pick<FieldChange, 'because'>,
  origin: FieldChange['origin'],
  forcesReplacement: boolean,
): FieldChange {
  const { path, before, after, because } = leaf;
  return {
    path,
    ...(before !== undefined && { before: maskField(kind, path, before) }),
    ...(after !== undefined && { after: maskField(kind, path, after) }),
    forcesReplacement,
    origin,
    ...(because !== undefined && { because }),
  };
}
