import { isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';
import { objectOf, resolve } from './document-parts.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** One operation, with what is said for all operations of its path, and the description it stands in. */
export interface Operation {
  /** `GET /users/{id}`, as it is declared. */
  readonly name: string;
  readonly path: string;
  readonly operation: JsonObject;
  readonly item: JsonObject;
  readonly document: JsonObject;
}

/** By method and path; names of path parameters make no difference: `GET /users/{}`. */
export function operationsOf(document: JsonObject): ReadonlyMap<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const [path, value] of Object.entries(objectOf(document['paths']))) {
    for (const [verb, operation] of operationsIn(value, { path, name: (verb) => `${verb} ${path}`, document }))
      operations.set(`${verb} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`, operation);
  }
  return operations;
}

/** The operations of one path item, by method. */
export function operationsIn(
  value: Json | undefined,
  { path, name, document }: { readonly path: string; readonly name: (verb: string) => string; readonly document: JsonObject },
): ReadonlyMap<string, Operation> {
  const item = objectOf(resolve(value, document));
  const found = methods.flatMap((method): [string, Operation][] => {
    const operation = item[method];
    const verb = method.toUpperCase();
    return isJsonObject(operation) ? [[verb, { name: name(verb), path, operation, item, document }]] : [];
  });
  return new Map(found);
}
