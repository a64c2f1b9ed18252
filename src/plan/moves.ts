import { isJsonObject, type Json, type JsonObject } from '../digest/json.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { fieldPatterns } from '../stack/kinds/field-schema.ts';
import type { Address, Kind, Moved } from '../stack/stack.ts';

/** New addresses by old ones. */
export type Renames = ReadonlyMap<Address, Address>;

/**
 * The moves of a stack that still have something to move: the source is recorded, and nothing is at its end. Of several that lead to one
 * end (a chain of which two steps are recorded) the last declared is taken.
 */
export function renamesOf(environment: string, moved: readonly Moved[], isRecorded: (address: Address) => boolean): Renames {
  const byEnd = new Map<Address, Address>();
  for (const { kind, from, to } of moved) {
    const [source, end]: [Address, Address] = [`${environment}/${kind}/${from}`, `${environment}/${kind}/${to}`];
    if (isRecorded(source) && !isRecorded(end)) byEnd.set(end, source);
  }
  return new Map(Array.from(byEnd, ([end, source]) => [source, end]));
}

/** A state after the moves: its own address and every mention of what moved. The same object when nothing of it is touched. */
export function renameState(state: ResourceState, renames: Renames): ResourceState {
  const address = renames.get(state.address) ?? state.address;
  const name = address.slice(address.lastIndexOf('/') + 1);
  const dependencies = state.dependencies.map((dependency) => renames.get(dependency) ?? dependency);
  const resolved = Object.entries(state.resolved).map(([key, digest]) => [renameKey(key, state.environment, renames), digest] as const);
  const mentions = renameReferences(state, renames);
  const declared = address !== state.address && mentions['name'] === state.name ? { ...mentions, name } : mentions;
  const standsOn = state.standsOn && Object.entries(state.standsOn).map(([key, id]) => [renames.get(key as Address) ?? key, id] as const);
  const copied = state.copy && renames.get(state.copy.of);
  const touched =
    copied !== undefined ||
    address !== state.address ||
    declared !== state.declared ||
    dependencies.some((dependency, index) => dependency !== state.dependencies[index]) ||
    resolved.some(([key]) => !Object.hasOwn(state.resolved, key));
  if (!touched) return state;
  return {
    ...state,
    address,
    name,
    dependencies,
    resolved: Object.fromEntries(resolved),
    declared,
    ...(standsOn && { standsOn: Object.fromEntries(standsOn) }),
    ...(copied !== undefined && state.copy && { copy: { ...state.copy, of: copied } }),
  };
}

function renameKey(key: string, environment: string, renames: Renames): string {
  return renames.get(key as Address) ?? renameText(key, environment, renames);
}

function renameReferences({ kind, environment, declared }: ResourceState, renames: Renames): JsonObject {
  let fields = renameTexts(declared, environment, renames) as JsonObject;
  for (const { path, refersTo } of fieldPatterns(kind)) {
    if (refersTo) fields = mapAt(fields, path, (value) => renameName(value, refersTo.kinds, environment, renames)) as JsonObject;
  }
  return fields;
}

function renameName(value: Json, kinds: readonly Kind[], environment: string, renames: Renames): Json {
  if (typeof value !== 'string') return value;
  for (const kind of kinds) {
    const renamed = renames.get(`${environment}/${kind}/${value}`);
    if (renamed !== undefined) return renamed.slice(renamed.lastIndexOf('/') + 1);
  }
  return value;
}

/** The value with `change` applied wherever `path` leads; `*` is any key or index. What is not changed stays the same object. */
function mapAt(value: Json, path: readonly string[], change: (value: Json) => Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (Array.isArray(value)) return step === '*' ? mapItems(value as readonly Json[], (item) => mapAt(item, rest, change)) : value;
  if (!isJsonObject(value)) return value;
  return mapMembers(value, (key, member) => (step === '*' || step === key ? mapAt(member, rest, change) : member));
}

function renameTexts(value: Json, environment: string, renames: Renames): Json {
  if (typeof value === 'string') return renameText(value, environment, renames);
  if (isJsonObject(value)) return mapMembers(value, (_, member) => renameTexts(member, environment, renames));
  return Array.isArray(value) ? mapItems(value as readonly Json[], (item) => renameTexts(item, environment, renames)) : value;
}

/** `${kind.old.output}` becomes `${kind.new.output}`; `$${` is no interpolation. */
function renameText(text: string, environment: string, renames: Renames): string {
  if (!text.includes('${')) return text;
  return text.replaceAll(/(\$?)\$\{([a-z_]+)\.([a-z0-9-]+)(?=[.}])/g, (whole, escaped: string, kind: string, name: string) => {
    const renamed = escaped === '' ? renames.get(`${environment}/${kind}/${name}` as Address) : undefined;
    return renamed === undefined ? whole : `\${${kind}.${renamed.slice(renamed.lastIndexOf('/') + 1)}`;
  });
}

function mapMembers(value: JsonObject, change: (key: string, member: Json) => Json): JsonObject {
  const entries = Object.entries(value).map(([key, member]) => [key, change(key, member)] as const);
  return entries.some(([key, member]) => member !== value[key]) ? Object.fromEntries(entries) : value;
}

function mapItems(value: readonly Json[], change: (item: Json) => Json): readonly Json[] {
  const items = value.map(change);
  return items.some((item, index) => item !== value[index]) ? items : value;
}
