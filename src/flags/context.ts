import { isJsonObject, type Json, type JsonObject } from '../digest/json.ts';

export type ReadContext =
  | { readonly ok: true; readonly context: JsonObject }
  | { readonly ok: false; readonly errorCode: 'PARSE_ERROR' | 'INVALID_CONTEXT'; readonly errorDetails: string };

/** A context describes a user, it is no document. */
export const contextLimitBytes = 65_536;
const depthLimit = 16;

/**
 * The context of an evaluation request, from the text of its body. A body or a context that is missing is an empty context. Properties
 * called `__proto__` are dropped: copied into an object, they would become its prototype.
 */
export function readContext(text: string): ReadContext {
  if (text.trim() === '') return { ok: true, context: {} };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { ok: false, errorCode: 'PARSE_ERROR', errorDetails: 'The body is not JSON.' };
  }
  if (!isJsonObject(body)) return { ok: false, errorCode: 'PARSE_ERROR', errorDetails: 'The body is not a JSON object.' };
  const context = Object.hasOwn(body, 'context') ? body['context'] : undefined;
  return checkContext(context);
}

/** The same for a context that has been parsed already. */
export function checkContext(context: unknown): ReadContext {
  if (context === undefined || context === null) return { ok: true, context: {} };
  if (!isJsonObject(context)) return { ok: false, errorCode: 'INVALID_CONTEXT', errorDetails: 'The context is not an object.' };
  if (isTooDeep(context)) {
    return { ok: false, errorCode: 'INVALID_CONTEXT', errorDetails: `The context is nested deeper than ${depthLimit} levels.` };
  }
  const { targetingKey } = context;
  if (Object.hasOwn(context, 'targetingKey') && targetingKey !== null && typeof targetingKey !== 'string') {
    return { ok: false, errorCode: 'INVALID_CONTEXT', errorDetails: 'targetingKey is not text.' };
  }
  return { ok: true, context: withoutPrototypes(context) as JsonObject };
}

/** Level by level: recursion is what a deep document attacks. */
function isTooDeep(value: Json): boolean {
  let level: readonly Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthLimit) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values<Json>(item) : []));
  }
  return false;
}

/** Objects without prototypes: a rule about `a.constructor` finds what was sent or nothing. */
function withoutPrototypes(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (!isJsonObject(value)) return value;
  const bare: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const [name, member] of Object.entries(value)) if (name !== '__proto__') bare[name] = withoutPrototypes(member);
  return bare;
}
