import type { JsonObject } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import { objectOf, resolve } from './document-parts.ts';
import type { Operation } from './operation.ts';
import { type Comparisons, requestChanges, responseChanges } from './schema-change.ts';

export function compareRequestBodies(before: Operation, after: Operation, comparisons: Comparisons): readonly ApiChange[] {
  const path = `${before.name} request`;
  const old = objectOf(resolve(before.operation['requestBody'], before.document));
  const now = objectOf(resolve(after.operation['requestBody'], after.document));
  const changes: ApiChange[] = [];
  if (now['required'] === true && old['required'] !== true) changes.push({ path, breaking: true, what: 'a body is now required' });
  if (now['required'] !== true && old['required'] === true) changes.push({ path, breaking: false, what: 'a body is no longer required' });
  const [given, taken] = [mediaOf(old), mediaOf(now)];
  for (const [type, media] of given) {
    const counterpart = matching(type, taken);
    if (counterpart === undefined) changes.push({ path: `${path} ${type}`, breaking: true, what: 'the media type is no longer taken' });
    else changes.push(...requestChanges(path, [media['schema'], counterpart['schema']], comparisons));
  }
  return [...distinct(changes), ...additions(path, taken, given)];
}

export function compareResponses(before: Operation, after: Operation, comparisons: Comparisons): readonly ApiChange[] {
  const [old, now] = [objectOf(before.operation['responses']), objectOf(after.operation['responses'])];
  const changes: ApiChange[] = [];
  const answered = new Set<string>();
  for (const [status, value] of Object.entries(old)) {
    const path = `${before.name} response ${status}`;
    const counterparts = answersTo(status, old, now);
    if (counterparts.length === 0) {
      // An error that no longer happens hurts nobody.
      changes.push({ path, breaking: status.startsWith('2'), what: 'the response is removed' });
      continue;
    }
    for (const each of counterparts) {
      answered.add(each);
      const [given, taken] = [objectOf(resolve(value, before.document)), objectOf(resolve(now[each], after.document))];
      changes.push(...compareContents(path, given, taken, comparisons));
      changes.push(...compareHeaders(path, [given, before.document], [taken, after.document], comparisons));
    }
  }
  const added = Object.keys(now).filter((status) => !answered.has(status) && !(status in old));
  const news = added.map((status) => ({ path: `${before.name} response ${status}`, breaking: false, what: 'a new response' }));
  return [...distinct(changes), ...news];
}

/** The statuses that a client may be answered with instead of one: the same, its class, members of the class, or what is left over. */
function answersTo(status: string, old: JsonObject, now: JsonObject): readonly string[] {
  if (status in now) return [status];
  const whole = `${status[0]}XX`;
  if (whole in now) return [whole];
  const members = /^\dXX$/.test(status) ? Object.keys(now).filter((other) => other[0] === status[0]) : [];
  if (members.length > 0) return members;
  // Beside a success, `default` describes failures.
  return 'default' in now && !('default' in old) ? ['default'] : [];
}

function compareContents(path: string, before: JsonObject, after: JsonObject, comparisons: Comparisons): readonly ApiChange[] {
  const [old, now] = [mediaOf(before), mediaOf(after)];
  const changes: ApiChange[] = [];
  for (const [type, media] of old) {
    const sent = now.filter(([other]) => isWithin(other, type));
    if (sent.length === 0) changes.push({ path: `${path} ${type}`, breaking: true, what: 'the media type is no longer sent' });
    for (const [, counterpart] of sent) changes.push(...responseChanges(path, [media['schema'], counterpart['schema']], comparisons));
  }
  return [...changes, ...additions(path, now, old)];
}

type Placed = readonly [response: JsonObject, document: JsonObject];

function compareHeaders(path: string, before: Placed, after: Placed, comparisons: Comparisons): readonly ApiChange[] {
  const [old, now] = [headersOf(before), headersOf(after)];
  const changes: ApiChange[] = [];
  for (const [name, header] of old) {
    const place = `${path} header ${name}`;
    const counterpart = now.get(name);
    if (header['required'] === true && counterpart?.['required'] !== true) {
      changes.push({ path: place, breaking: true, what: 'a header that was always sent is removed or optional' });
    } else if (counterpart === undefined) changes.push({ path: place, breaking: true, what: 'a header is removed' });
    if (counterpart) changes.push(...responseChanges(place, [header['schema'], counterpart['schema']], comparisons));
  }
  for (const name of now.keys()) {
    if (!old.has(name)) changes.push({ path: `${path} header ${name}`, breaking: false, what: 'a new header' });
  }
  return changes;
}

export function headersOf([response, document]: Placed): ReadonlyMap<string, JsonObject> {
  const headers = Object.entries(objectOf(response['headers']));
  return new Map(headers.map(([name, value]) => [name.toLowerCase(), objectOf(resolve(value, document))]));
}

type Media = readonly [type: string, media: JsonObject];

/** By media type without its parameters. */
export function mediaOf({ content }: JsonObject): readonly Media[] {
  return Object.entries(objectOf(content)).map(([type, media]) => [(type.split(';')[0] ?? '').trim().toLowerCase(), objectOf(media)]);
}

export function matching(type: string, media: readonly Media[]): JsonObject | undefined {
  const found = media.find(([other]) => other === type) ?? media.find(([other]) => isWithin(type, other));
  return found?.[1];
}

/** `text/html` is within `text/*`. */
export function isWithin(type: string, range: string): boolean {
  if (type === range || range === '*/*') return true;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}

function additions(path: string, now: readonly Media[], old: readonly Media[]): readonly ApiChange[] {
  const added = now.filter(([type]) => old.length > 0 && !old.some(([other]) => isWithin(type, other) || isWithin(other, type)));
  return added.map(([type]) => ({ path: `${path} ${type}`, breaking: false, what: 'a new media type' }));
}

/** Several media types of one schema say the same. */
export function distinct(changes: readonly ApiChange[]): readonly ApiChange[] {
  return [...new Map(changes.map((change) => [`${change.path}\0${change.what}`, change])).values()];
}
