import type { Json, JsonObject } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import { objectOf, resolve } from './document-parts.ts';
import { type Operation, operationsIn } from './operation.ts';
import type { SentComparison } from './sent-request.ts';

/** That are told of one callback. */
const mostChanges = 200;

/** What the service sends by itself: `webhooks` of 3.1, and `x-webhooks`, as tools for 3.0 write them. Callbacks of theirs are not compared. */
export function compareWebhooks(before: JsonObject, after: JsonObject, compare: SentComparison): readonly ApiChange[] {
  const [old, now] = [webhooksOf(before), webhooksOf(after)];
  const changes = Object.entries(old).flatMap(([name, value]): readonly ApiChange[] => {
    const counterpart = Object.hasOwn(now, name) ? now[name] : undefined;
    if (counterpart === undefined) return [{ path: `webhook ${name}`, breaking: true, what: 'the webhook is removed' }];
    return compareItems(`webhook ${name}`, [value, before], [counterpart, after], compare);
  });
  const added = Object.keys(now).filter((name) => !Object.hasOwn(old, name));
  return [...changes, ...added.map((name) => ({ path: `webhook ${name}`, breaking: false, what: 'a new webhook' }))];
}

function webhooksOf(document: JsonObject): JsonObject {
  return { ...objectOf(document['x-webhooks']), ...objectOf(document['webhooks']) };
}

/**
 * What the service sends to an address that a client has given. A callback that many operations share is compared once; callbacks of
 * callbacks are not compared.
 */
export function createCallbackComparison(compare: SentComparison): (before: Operation, after: Operation) => readonly ApiChange[] {
  const known = new WeakMap<JsonObject, WeakMap<JsonObject, readonly ApiChange[]>>();

  /** Paths are those below the callback. */
  function once(before: Placed, after: Placed): readonly ApiChange[] {
    const [old, now] = [objectOf(resolve(...before)), objectOf(resolve(...after))];
    const earlier = known.get(old)?.get(now);
    if (earlier) return earlier;
    const all = compareCallback([old, before[1]], [now, after[1]], compare);
    const cut = { path: '', breaking: true, what: `too many changes to be told: ${all.length}` };
    const found = all.length > mostChanges ? [...all.slice(0, mostChanges), cut] : all;
    known.set(old, (known.get(old) ?? new WeakMap<JsonObject, readonly ApiChange[]>()).set(now, found));
    return found;
  }

  return (before, after) => {
    const [old, now] = [objectOf(before.operation['callbacks']), objectOf(after.operation['callbacks'])];
    const pathOf = (name: string): string => `${before.name} callback ${name}`;
    const changes = Object.keys(old).flatMap((name): readonly ApiChange[] => {
      if (!Object.hasOwn(now, name)) return [{ path: pathOf(name), breaking: true, what: 'the callback is removed' }];
      const found = once([old[name], before.document], [now[name], after.document]);
      return found.map(({ path, breaking, what }) => ({ path: `${pathOf(name)}${path}`, breaking, what }));
    });
    const added = Object.keys(now).filter((name) => !Object.hasOwn(old, name));
    return [...changes, ...added.map((name) => ({ path: pathOf(name), breaking: false, what: 'a new callback' }))];
  };
}

type Placed = readonly [value: Json | undefined, document: JsonObject];

/** The addresses of one callback: runtime expressions, which say where a client has given them. */
function compareCallback(before: Placed, after: Placed, compare: SentComparison): readonly ApiChange[] {
  const path = '';
  const [old, now] = [objectOf(before[0]), objectOf(after[0])];
  const left = Object.keys(now).filter((address) => !Object.hasOwn(old, address));
  const lost = Object.keys(old).filter((address) => !Object.hasOwn(now, address));
  // One that goes while one comes is the same, sent elsewhere.
  const moved = lost.length === 1 && left.length === 1 ? left[0] : undefined;
  const changes = Object.keys(old).flatMap((address): readonly ApiChange[] => {
    const counterpart = Object.hasOwn(now, address) ? address : moved;
    if (counterpart === undefined) return [{ path, breaking: true, what: `it is no longer sent to ${address}` }];
    return compareItems(path, [old[address], before[1]], [now[counterpart], after[1]], compare);
  });
  const elsewhere = { path, breaking: true, what: `it is sent to another address: ${lost[0] ?? ''} to ${moved ?? ''}` };
  return moved === undefined ? changes : [elsewhere, ...changes];
}

function compareItems(path: string, before: Placed, after: Placed, compare: SentComparison): readonly ApiChange[] {
  const operations = ([value, document]: Placed) => operationsIn(value, { path: '', name: (verb) => `${path} ${verb}`, document });
  const [old, now] = [operations(before), operations(after)];
  const changes = Array.from(old, ([verb, operation]): readonly ApiChange[] => {
    const counterpart = now.get(verb);
    if (counterpart === undefined) return [{ path: operation.name, breaking: true, what: 'the request is no longer sent' }];
    return compare(operation, counterpart);
  });
  const added = [...now].filter(([verb]) => !old.has(verb));
  return [...changes.flat(), ...added.map(([, { name }]) => ({ path: name, breaking: true, what: 'a request that was never sent' }))];
}
