import { parseDocument } from 'yaml';
import { isJsonObject, type JsonObject } from '../../digest/json.ts';

const maxCharacters = 2_000_000;

/** An OpenAPI description 3.x (YAML or JSON); undefined when the text is none, or too long to be one. Alias bombs are refused. */
export function readApi(text: string | undefined): JsonObject | undefined {
  if (text === undefined || text.length > maxCharacters) return undefined;
  try {
    const document: unknown = parseDocument(text, { logLevel: 'silent' }).toJS({ maxAliasCount: 100 });
    if (!isJsonObject(document)) return undefined;
    const { openapi } = document;
    // YAML reads `openapi: 3.1` as a number.
    const version = typeof openapi === 'number' ? openapi.toString() : openapi;
    return typeof version === 'string' && /^3(\.[01](\.|$)|$)/.test(version) ? document : undefined;
  } catch {
    return undefined;
  }
}
