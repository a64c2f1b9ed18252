import { jsonEquals, type JsonObject } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import { objectOf, resolve } from './document-parts.ts';
import { type Operation, operationsOf } from './operation.ts';

/** That are told of the links of one response. */
const mostChanges = 200;

/** Where answers lead, which clients follow by name. What many operations share is compared once. */
export function createLinkComparison(before: JsonObject, after: JsonObject): (before: Operation, after: Operation) => readonly ApiChange[] {
  const known = new WeakMap<JsonObject, WeakMap<JsonObject, readonly ApiChange[]>>();
  const [old, now] = [namedOperations(before), namedOperations(after)];

  /** Paths are those below the response. */
  function once(given: JsonObject, kept: JsonObject): readonly ApiChange[] {
    const earlier = known.get(given)?.get(kept);
    if (earlier) return earlier;
    const found = compareAll([objectOf(given['links']), before, old], [objectOf(kept['links']), after, now]);
    known.set(given, (known.get(given) ?? new WeakMap<JsonObject, readonly ApiChange[]>()).set(kept, found));
    return found;
  }

  return (one, other) => {
    const [given, kept] = [objectOf(one.operation['responses']), objectOf(other.operation['responses'])];
    return Object.entries(given).flatMap(([status, value]): readonly ApiChange[] => {
      // A response that is gone is told as such.
      if (!Object.hasOwn(kept, status)) return [];
      const found = once(objectOf(resolve(value, before)), objectOf(resolve(kept[status], after)));
      return found.map(({ path, breaking, what }) => ({ path: `${one.name} response ${status} ${path}`, breaking, what }));
    });
  };
}

type Links = readonly [links: JsonObject, document: JsonObject, operations: ReadonlyMap<string, string>];

function compareAll(before: Links, after: Links): readonly ApiChange[] {
  const [[old], [now]] = [before, after];
  const added = Object.keys(now).filter((name) => !Object.hasOwn(old, name));
  const all = [
    ...Object.keys(old).flatMap((name) => compareLink(name, before, after)),
    ...added.map((name) => ({ path: `link ${name}`, breaking: false, what: 'a new link' })),
  ];
  const cut = { path: 'links', breaking: true, what: `too many changes to be told: ${all.length}` };
  return all.length > mostChanges ? [...all.slice(0, mostChanges), cut] : all;
}

function compareLink(name: string, [links, document, operations]: Links, [kept, other, others]: Links): readonly ApiChange[] {
  const path = `link ${name}`;
  if (!Object.hasOwn(kept, name)) return [{ path, breaking: true, what: 'the link is removed' }];
  const [old, now] = [objectOf(resolve(links[name], document)), objectOf(resolve(kept[name], other))];
  const [from, to] = [targetOf(old, operations), targetOf(now, others)];
  const isSame = (part: string): boolean => jsonEquals(old[part] ?? null, now[part] ?? null);
  return [
    ...(from === to ? [] : [{ path, breaking: true, what: `it leads to another operation: ${from} to ${to}` }]),
    ...(isSame('parameters') ? [] : [{ path, breaking: true, what: 'its parameters are made otherwise' }]),
    ...(isSame('requestBody') ? [] : [{ path, breaking: true, what: 'its body is made otherwise' }]),
  ];
}

/** Methods and paths by operation id, so that an id may change. */
function namedOperations(document: JsonObject): ReadonlyMap<string, string> {
  return new Map(
    Array.from(operationsOf(document), ([key, { operation }]): [string, string] => {
      const { operationId: id } = operation;
      return [typeof id === 'string' ? id : '', key];
    }),
  );
}

function targetOf({ operationId: id, operationRef: reference }: JsonObject, operations: ReadonlyMap<string, string>): string {
  if (typeof id === 'string') return operations.get(id) ?? id;
  return typeof reference === 'string' ? reference : 'nothing';
}
