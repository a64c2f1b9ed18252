import { isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';

/** The object at a place of a description; empty where something else is. */
export function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The list at a place of a description; empty where something else is. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

const deepestReference = 32;

/** Follows local references, also chains of them. Undefined when one leads nowhere, to another file, or around in a circle. */
export function resolve(value: Json | undefined, document: JsonObject): Json | undefined {
  let current = value;
  for (let depth = 0; depth < deepestReference; depth += 1) {
    const reference = isJsonObject(current) ? current['$ref'] : undefined;
    if (typeof reference !== 'string') return current;
    current = referred(document, reference);
  }
  return undefined;
}

/** What `#/components/schemas/Answer` means; undefined for what is not there. Other documents are never read. */
export function referred(document: JsonObject, reference: string): Json | undefined {
  if (reference === '#') return document;
  if (!reference.startsWith('#/')) return undefined;
  let current: Json | undefined = document;
  for (const segment of reference.slice(2).split('/')) {
    const key = decoded(segment);
    if (Array.isArray(current)) current = (current as readonly Json[])[Number(key)];
    else if (isJsonObject(current) && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  return current;
}

/** Percent-encoding (RFC 3986) outside, JSON Pointer (RFC 6901) inside. */
function decoded(segment: string): string {
  let text = segment;
  try {
    text = decodeURIComponent(segment);
  } catch {
    // Not encoded: taken as it stands.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

const mostNamed = 5;

/** References that are not followed, because they lead to another file or nowhere: a few of them, each once. */
export function unfollowedReferences(document: JsonObject): readonly string[] {
  const found = new Set<string>();
  const waiting: Json[] = [document];
  for (let value = waiting.pop(); value !== undefined && found.size < mostNamed; value = waiting.pop()) {
    if (Array.isArray(value)) waiting.push(...(value as readonly Json[]));
    if (!isJsonObject(value)) continue;
    const { $ref: reference } = value;
    if (typeof reference === 'string' && referred(document, reference) === undefined) found.add(reference);
    // What is data and not description may hold the word.
    for (const [name, part] of Object.entries(value))
      if (!['example', 'examples', 'default', 'enum', 'const'].includes(name)) waiting.push(part);
  }
  return [...found];
}
