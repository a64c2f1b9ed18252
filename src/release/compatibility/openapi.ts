import { isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';
import { differences, type Side } from './schema-difference.ts';
import { resolve } from './schema-form.ts';

/** One change of an HTTP API, as the clients of the older one see it. */
export interface ApiChange {
  /** `POST /orders request items[].quantity`. */
  readonly path: string;
  /** Whether a client written for the older description can fail on it. */
  readonly breaking: boolean;
  /** `a new required field`. */
  readonly what: string;
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** All changes from one OpenAPI description (3.0 or 3.1) to another, breaking ones first. Pure; references to other files are not followed. */
export function compareApis(before: JsonObject, after: JsonObject): readonly ApiChange[] {
  const changes: ApiChange[] = [];
  const [old, now] = [operationsOf(before), operationsOf(after)];
  for (const [name, operation] of old) {
    const counterpart = now.get(name);
    if (counterpart === undefined) changes.push({ path: name, breaking: true, what: 'the operation is removed' });
    else changes.push(...compareOperations(name, { ...operation, document: before }, { ...counterpart, document: after }));
  }
  for (const name of now.keys()) if (!old.has(name)) changes.push({ path: name, breaking: false, what: 'a new operation' });
  return changes.toSorted((one, other) => Number(other.breaking) - Number(one.breaking));
}

interface Operation {
  readonly operation: JsonObject;
  readonly item: JsonObject;
}

interface Described extends Operation {
  readonly document: JsonObject;
}

/** By method and path; names of path parameters make no difference: `GET /users/{}`. */
function operationsOf(document: JsonObject): ReadonlyMap<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const [path, value] of Object.entries(objectOf(document['paths']))) {
    const item = objectOf(resolve(value, document));
    for (const method of methods) {
      const operation = item[method];
      if (isJsonObject(operation)) operations.set(`${method.toUpperCase()} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`, { operation, item });
    }
  }
  return operations;
}

function compareOperations(name: string, before: Described, after: Described): ApiChange[] {
  return [
    ...compareParameters(name, before, after),
    ...compareRequestBodies(name, before, after),
    ...compareResponses(name, before, after),
    ...compareSecurity(name, before, after),
  ];
}

interface Parameter {
  readonly label: string;
  readonly isRequired: boolean;
  readonly schema: Json | undefined;
}

function parametersOf({ operation, item, document }: Described): ReadonlyMap<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  let position = 0;
  for (const value of [...listOf(item['parameters']), ...listOf(operation['parameters'])]) {
    const parameter = objectOf(resolve(value, document));
    const { name = '', in: place = '' } = parameter as { name?: string; in?: string };
    // In a path the place counts, not the name.
    if (place === 'path') position += 1;
    const key = place === 'path' ? `path ${position}` : `${place} ${place === 'header' ? name.toLowerCase() : name}`;
    const schema = parameter['schema'] ?? firstSchema(parameter['content']);
    parameters.set(key, { label: `${place} parameter ${name}`, isRequired: parameter['required'] === true, schema });
  }
  return parameters;
}

function compareParameters(name: string, before: Described, after: Described): ApiChange[] {
  const changes: ApiChange[] = [];
  const [old, now] = [parametersOf(before), parametersOf(after)];
  for (const [key, parameter] of now) {
    const earlier = old.get(key);
    const path = `${name} ${parameter.label}`;
    if (!earlier) {
      const what = parameter.isRequired ? 'a new required parameter' : 'a new optional parameter';
      changes.push({ path, breaking: parameter.isRequired, what });
      continue;
    }
    if (parameter.isRequired && !earlier.isRequired) changes.push({ path, breaking: true, what: 'the parameter is now required' });
    const [given, taken] = [
      { schema: earlier.schema, document: before.document },
      { schema: parameter.schema, document: after.document },
    ];
    changes.push(...refusals(path, given, taken));
  }
  for (const [key, { label }] of old) {
    // Servers ignore what they do not know.
    if (!now.has(key))
      changes.push({ path: `${name} ${label}`, breaking: false, what: 'the parameter is removed: it is no longer looked at' });
  }
  return changes;
}

function compareRequestBodies(name: string, before: Described, after: Described): ApiChange[] {
  const path = `${name} request`;
  const old = objectOf(resolve(before.operation['requestBody'], before.document));
  const now = objectOf(resolve(after.operation['requestBody'], after.document));
  const changes: ApiChange[] = [];
  if (now['required'] === true && old['required'] !== true) changes.push({ path, breaking: true, what: 'a body is now required' });
  const types = objectOf(now['content']);
  for (const [type, media] of Object.entries(objectOf(old['content']))) {
    const counterpart = types[type] ?? types['*/*'];
    if (counterpart === undefined) {
      changes.push({ path: `${path} ${type}`, breaking: true, what: 'the media type is no longer taken' });
      continue;
    }
    const given = { schema: objectOf(media)['schema'], document: before.document };
    const taken = { schema: objectOf(counterpart)['schema'], document: after.document };
    changes.push(...refusals(path, given, taken));
  }
  return changes;
}

function compareResponses(name: string, before: Described, after: Described): ApiChange[] {
  const changes: ApiChange[] = [];
  const now = objectOf(after.operation['responses']);
  for (const [status, value] of Object.entries(objectOf(before.operation['responses']))) {
    const path = `${name} response ${status}`;
    const counterpart = now[status] ?? now[`${status[0]}XX`] ?? now['default'];
    if (counterpart === undefined) {
      // An error that no longer happens hurts nobody.
      const breaking = status.startsWith('2');
      changes.push({ path, breaking, what: 'the response is removed' });
      continue;
    }
    changes.push(...compareContents(path, [resolve(value, before.document), before], [resolve(counterpart, after.document), after]));
  }
  return changes;
}

type Answer = readonly [Json | undefined, Described];

function compareContents(path: string, [before, old]: Answer, [after, now]: Answer): ApiChange[] {
  const changes: ApiChange[] = [];
  const types = objectOf(objectOf(after)['content']);
  for (const [type, media] of Object.entries(objectOf(objectOf(before)['content']))) {
    const counterpart = types[type];
    if (counterpart === undefined) {
      changes.push({ path: `${path} ${type}`, breaking: true, what: 'the media type is no longer sent' });
      continue;
    }
    const [given, taken] = [
      { schema: objectOf(counterpart)['schema'], document: now.document },
      { schema: objectOf(media)['schema'], document: old.document },
    ];
    changes.push(...surprises(path, given, taken));
  }
  return changes;
}

/** A client is asked for credentials that it was not asked for before. Alternatives are sets of schemes; an empty one lets anybody in. */
function compareSecurity(name: string, before: Described, after: Described): ApiChange[] {
  const alternatives = ({ operation, document }: Described): readonly string[][] => {
    const declared = operation['security'] ?? document['security'];
    return declared === undefined ? [[]] : listOf(declared).map((each) => Object.keys(objectOf(each)));
  };
  const offered = alternatives(after);
  const isServed = (schemes: readonly string[]): boolean => offered.some((wanted) => wanted.every((scheme) => schemes.includes(scheme)));
  const shutOut = alternatives(before).filter((schemes) => !isServed(schemes));
  return shutOut.map((schemes) => ({
    path: `${name} security`,
    breaking: true,
    what: schemes.length === 0 ? 'credentials are now required' : `${schemes.join(' with ')} no longer suffices`,
  }));
}

/** What a request of an older client may hold and the newer service does not take. */
function refusals(path: string, given: Side, taken: Side): ApiChange[] {
  return differences(given, taken, { missesAbsent: false }).map(({ at, kind, detail }) => {
    const what = {
      type: `the type is narrowed: ${detail} is no longer taken`,
      values: `values are no longer taken: ${detail}`,
      bound: `the bounds are narrowed: ${detail}`,
      pattern: `a pattern is required: ${detail}`,
      format: `a format is required: ${detail}`,
      required: 'a field is now required',
      absent: 'a field is no longer looked at',
      closed: `a field is no longer taken: ${detail}`,
      options: `an alternative is no longer taken: ${detail}`,
    }[kind];
    return { path: located(path, at), breaking: true, what };
  });
}

/** What an answer of the newer service may hold, or lack, that an older client does not expect. */
function surprises(path: string, given: Side, taken: Side): ApiChange[] {
  return differences(given, taken, { missesAbsent: true }).map(({ at, kind, detail }) => {
    const what = {
      type: `the type is widened: it may be ${detail}`,
      values: `values that were never sent: ${detail}`,
      bound: `the bounds are widened: ${detail} no longer holds`,
      pattern: `the pattern is no longer promised: ${detail}`,
      format: `the format is no longer promised: ${detail}`,
      required: 'a field that was always sent is removed or optional',
      absent: 'a field is removed',
      closed: `a field that was never sent: ${detail}`,
      options: `an alternative that was never sent: ${detail}`,
    }[kind];
    return { path: located(path, at), breaking: true, what };
  });
}

function located(path: string, at: string): string {
  return at === '' ? path : `${path} ${at}`;
}

function firstSchema(content: Json | undefined): Json | undefined {
  return Object.values(objectOf(content)).map((media) => objectOf(media)['schema'])[0];
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
