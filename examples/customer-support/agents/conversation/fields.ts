import { refusal } from './refusal.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A JSON object; refuses anything else with 400. */
export function objectOf(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw refusal(400, 'invalid_request', `${name} must be a JSON object`);
}

/** A trimmed string of 1 to `limit` characters, without the NUL characters that databases refuse; refuses anything else with 400. */
export function textOf(value: unknown, name: string, limit: number): string {
  const text = typeof value === 'string' ? value.replaceAll('\0', '').trim() : '';
  if (text === '') throw refusal(400, 'invalid_request', `'${name}' must be text that is not empty`);
  if (text.length > limit) throw refusal(400, 'invalid_request', `'${name}' has ${text.length} characters; at most ${limit} are taken`);
  return text;
}
