import { parseDocument } from 'yaml';
import { isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';

const maxCharacters = 2_000_000;
/** What people write is some thirty levels deep. */
const deepest = 400;

/**
 * An OpenAPI description 3.x (YAML or JSON); undefined when the text is none, not well-formed, too long or nested too deeply to be one.
 * Alias bombs are refused.
 */
export function readApi(text: string | undefined): JsonObject | undefined {
  if (text === undefined || text.length > maxCharacters || opensDeeply(text)) return undefined;
  try {
    const parsed = parseDocument(text, { logLevel: 'silent' });
    const document: unknown = parsed.errors.length > 0 ? undefined : parsed.toJS({ maxAliasCount: 100 });
    if (!isJsonObject(document) || isDeeper(document, deepest)) return undefined;
    const { openapi } = document;
    // YAML reads `openapi: 3.1` as a number.
    const version = typeof openapi === 'number' ? openapi.toString() : openapi;
    return typeof version === 'string' && /^3(\.[01](\.|$)|$)/.test(version) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** Seen before it is parsed, which takes long for a text of nothing but brackets. */
function opensDeeply(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '{' || bracket === '[' ? 1 : -1;
    if (depth > 10 * deepest) return true;
  }
  return false;
}

/** Also where an alias leads around in a circle. */
function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part: Json) => isDeeper(part, levels - 1));
}
