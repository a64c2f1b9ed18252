import { isJsonObject, type JsonObject } from '../../digest/json.ts';
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
    const item = objectOf(resolve(value, document));
    for (const method of methods) {
      const operation = item[method];
      if (!isJsonObject(operation)) continue;
      const verb = method.toUpperCase();
      operations.set(`${verb} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`, { name: `${verb} ${path}`, path, operation, item, document });
    }
  }
  return operations;
}
