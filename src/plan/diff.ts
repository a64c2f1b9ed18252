import { isJsonObject, type Json, jsonEquals } from '../digest/json.ts';

/** One leaf that differs. `before` is absent for an addition, `after` for a removal. */
export interface LeafDifference {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

/**
 * The differing leaves of two values, in the order of their dotted paths. Objects are compared member by member and lists of equal
 * length element by element; a list that grew or shrank is one leaf, because its elements have no identity to follow.
 */
export function diffLeaves(before: Json | undefined, after: Json | undefined, path = ''): readonly LeafDifference[] {
  if (before === after) return [];
  if (isEmptyOrObject(before) && isEmptyOrObject(after) && (hasMembers(before) || hasMembers(after))) {
    const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
    return [...keys].toSorted().flatMap((key) => diffLeaves(before?.[key], after?.[key], join(path, key)));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((element: Json, index) => diffLeaves(element, after[index] as Json, join(path, String(index))));
  }
  if (jsonEquals(before, after)) return [];
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

/** Whether `path` is one of `paths`, lies below one, or holds one. */
export function touches(paths: readonly string[], path: string): boolean {
  return paths.some((other) => path === other || path.startsWith(`${other}.`) || other.startsWith(`${path}.`));
}

function isEmptyOrObject(value: Json | undefined): value is { readonly [key: string]: Json } | undefined {
  return value === undefined || isJsonObject(value);
}

function hasMembers(value: { readonly [key: string]: Json } | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
