import { parseDocument } from 'yaml';
import { isJsonObject, type Json, type JsonObject } from '../digest/json.ts';

/** A request that can be sent as it stands; `path` is the operation's, relative to the service. `body` is text of the content type. */
export interface ExampleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const methods = ['get', 'put', 'post', 'delete', 'patch'];
const maxCharacters = 2_000_000;

/**
 * The first operation of an OpenAPI description (YAML or JSON) that shows by examples how to call it: a request body with an example, or
 * parameters that all have one. Undefined when there is none, or when the text is no such description.
 */
export function exampleRequest(openApiText: string): ExampleRequest | undefined {
  const description = parse(openApiText);
  for (const [path, item] of entriesOf(description?.['paths'])) {
    for (const method of methods) {
      const operation = isJsonObject(item) ? item[method] : undefined;
      const example = isJsonObject(operation) && isJsonObject(item) ? exampleOf(method, path, item, operation) : undefined;
      if (example) return example;
    }
  }
  return undefined;
}

function parse(text: string): JsonObject | undefined {
  if (text.length > maxCharacters) return undefined;
  try {
    const document: unknown = parseDocument(text, { logLevel: 'silent' }).toJS({ maxAliasCount: 100 });
    return isJsonObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

function exampleOf(method: string, path: string, item: JsonObject, operation: JsonObject): ExampleRequest | undefined {
  const body = bodyExample(operation['requestBody']);
  if (!body && isJsonObject(operation['requestBody'])) return undefined;
  const called = withParameters(path, [...listOf(item['parameters']), ...listOf(operation['parameters'])]);
  if (!called || (!body && !called.shown)) return undefined;
  return {
    method: method.toUpperCase(),
    path: called.path,
    headers: { ...called.headers, ...(body && { 'content-type': body.type }) },
    ...(body && { body: body.text }),
  };
}

function bodyExample(requestBody: Json | undefined): { readonly type: string; readonly text: string } | undefined {
  for (const [type, media] of entriesOf(isJsonObject(requestBody) ? requestBody['content'] : undefined)) {
    const value = exampleValue(media);
    if (value !== undefined) return { type, text: typeof value === 'string' ? value : JSON.stringify(value) };
  }
  return undefined;
}

/** Puts the parameters' examples in; undefined when a required one has none. `shown` when at least one did. */
function withParameters(path: string, parameters: readonly Json[]) {
  let filled = path;
  let shown = false;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  for (const parameter of parameters) {
    if (!isJsonObject(parameter) || typeof parameter['name'] !== 'string') continue;
    const { name, in: place, required } = parameter as { name: string; in?: Json; required?: Json };
    const value = exampleValue(parameter);
    if (value === undefined) {
      if (required === true || place === 'path') return undefined;
      continue;
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    shown = true;
    if (place === 'path') filled = filled.replaceAll(`{${name}}`, encodeURIComponent(text));
    else if (place === 'query') query.set(name, text);
    else if (place === 'header') headers[name.toLowerCase()] = text;
  }
  if (filled.includes('{')) return undefined;
  return { path: query.size > 0 ? `${filled}?${query.toString()}` : filled, headers, shown };
}

/** `example`, the first of `examples`, or the schema's own. */
function exampleValue(holder: Json | undefined): Json | undefined {
  if (!isJsonObject(holder)) return undefined;
  if (holder['example'] !== undefined) return holder['example'];
  for (const [, named] of entriesOf(holder['examples'])) {
    if (isJsonObject(named) && named['value'] !== undefined) return named['value'];
  }
  const schema = holder['schema'];
  if (!isJsonObject(schema)) return undefined;
  return schema['example'] ?? listOf(schema['examples'])[0];
}

function entriesOf(value: Json | undefined): readonly [string, Json][] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
