import { objectOf, resolve } from './document-parts.ts';
import type { ApiChange } from './api-change.ts';
import { distinct, headersOf, isWithin, matching, mediaOf } from './bodies.ts';
import type { Operation } from './operation.ts';
import { parametersOf } from './parameters.ts';
import { type Comparisons, requestChanges, responseChanges } from './schema-change.ts';

/** What is different in a request that the service sends, and in the answers it takes; paths begin with the operation's name. */
export type SentComparison = (before: Operation, after: Operation) => readonly ApiChange[];

/**
 * The service is the client here: what it sends may become narrower and not wider, and what it takes for an answer wider and not narrower.
 * Who is called is not compared: credentials and addresses are the receiver's.
 */
export function createSentComparison(comparisons: Comparisons): SentComparison {
  return (before, after) => [
    ...sentParameters(before, after, comparisons),
    ...sentBody(before, after, comparisons),
    ...takenAnswers(before, after, comparisons),
  ];
}

function sentParameters(before: Operation, after: Operation, comparisons: Comparisons): readonly ApiChange[] {
  const [old, now] = [parametersOf(before), parametersOf(after)];
  const changes = Array.from(old, ([key, parameter]): readonly ApiChange[] => {
    const path = `${before.name} ${parameter.label}`;
    const counterpart = now.get(key);
    if (parameter.isRequired && counterpart?.isRequired !== true)
      return [{ path, breaking: true, what: 'a parameter that was always sent is removed or optional' }];
    if (counterpart === undefined) return [{ path, breaking: !parameter.isDeprecated, what: 'the parameter is no longer sent' }];
    const isOtherwise = counterpart.writing !== parameter.writing;
    const otherwise = `it is written otherwise: ${parameter.writing} to ${counterpart.writing}`;
    return [
      ...(isOtherwise ? [{ path, breaking: true, what: otherwise }] : []),
      ...responseChanges(path, [parameter.schema, counterpart.schema], comparisons, !parameter.writing.includes('/')),
    ];
  });
  const added = [...now].filter(([key]) => !old.has(key));
  return [
    ...changes.flat(),
    ...added.map(([, { label }]) => ({ path: `${before.name} ${label}`, breaking: false, what: 'a new parameter' })),
  ];
}

function sentBody(before: Operation, after: Operation, comparisons: Comparisons): readonly ApiChange[] {
  const path = `${before.name} request`;
  const old = objectOf(resolve(before.operation['requestBody'], before.document));
  const now = objectOf(resolve(after.operation['requestBody'], after.document));
  const [had, has] = [mediaOf(old), mediaOf(now)];
  if (had.length > 0 && has.length === 0) return [{ path, breaking: true, what: 'a body is no longer sent' }];
  const changes: ApiChange[] = [];
  if (old['required'] === true && now['required'] !== true) changes.push({ path, breaking: true, what: 'a body is no longer always sent' });
  if (old['required'] !== true && now['required'] === true) changes.push({ path, breaking: false, what: 'a body is now always sent' });
  for (const [type, media] of has) {
    const counterpart = matching(type, had);
    if (counterpart !== undefined) changes.push(...responseChanges(path, [counterpart['schema'], media['schema']], comparisons));
    // Nobody asks for a type here: what is sent has to be understood.
    else changes.push({ path: `${path} ${type}`, breaking: had.length > 0, what: 'a media type that was never sent' });
  }
  const gone = had.filter(([type]) => !has.some(([other]) => isWithin(other, type) || isWithin(type, other)));
  return distinct([
    ...changes,
    ...gone.map(([type]) => ({ path: `${path} ${type}`, breaking: false, what: 'the media type is no longer sent' })),
  ]);
}

function takenAnswers(before: Operation, after: Operation, comparisons: Comparisons): readonly ApiChange[] {
  const [old, now] = [objectOf(before.operation['responses']), objectOf(after.operation['responses'])];
  const changes: ApiChange[] = [];
  for (const [status, value] of Object.entries(old)) {
    const path = `${before.name} answer ${status}`;
    const key = [status, `${status[0]}XX`, 'default'].find((each) => Object.hasOwn(now, each));
    if (key === undefined) {
      changes.push({ path, breaking: status.startsWith('2'), what: 'the answer is no longer taken' });
      continue;
    }
    const [given, taken] = [objectOf(resolve(value, before.document)), objectOf(resolve(now[key], after.document))];
    const [had, has] = [mediaOf(given), mediaOf(taken)];
    if (had.length === 0 && has.length > 0) changes.push({ path, breaking: true, what: 'the answer now needs a body' });
    for (const [type, media] of had) {
      const counterpart = matching(type, has);
      if (counterpart !== undefined) changes.push(...requestChanges(path, [media['schema'], counterpart['schema']], comparisons));
      // An answer whose body is not looked at may have any.
      else if (has.length > 0) changes.push({ path: `${path} ${type}`, breaking: true, what: 'the media type is no longer taken' });
    }
    const known = headersOf([given, before.document]);
    for (const [name, header] of headersOf([taken, after.document])) {
      const earlier = known.get(name);
      const place = `${path} header ${name}`;
      if (header['required'] === true && earlier?.['required'] !== true)
        changes.push({ path: place, breaking: true, what: 'the header is now required' });
      if (earlier) changes.push(...requestChanges(place, [earlier['schema'], header['schema']], comparisons, true));
    }
  }
  const added = Object.keys(now).filter((status) => !Object.hasOwn(old, status));
  const news = added.map((status) => ({ path: `${before.name} answer ${status}`, breaking: false, what: 'the answer is taken too' }));
  return [...distinct(changes), ...news];
}
