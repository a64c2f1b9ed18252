import { isJsonObject, type Json, type JsonObject } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { splitText } from './expression.ts';
import { type Kind, kinds } from './stack.ts';

/** An interpolation that reads an output of a resource. */
export interface OutputExpression {
  readonly kind: Kind;
  readonly name: string;
  readonly output: string;
  /** As written: `${database.db.url}`. */
  readonly text: string;
}

/**
 * `fields` with every output put in and every `$${` turned into `${`. A field that is nothing but one interpolation gets the output's
 * own type; inside other text it becomes text. Linear in the length of the fields. Throws what `valueOf` throws.
 */
export function interpolateFields(fields: JsonObject, valueOf: (expression: OutputExpression) => Json): JsonObject {
  return interpolateObject(fields, valueOf);
}

/** The distinct interpolations in a value, in the order in which they first appear. */
export function outputExpressions(value: Json): readonly OutputExpression[] {
  const found = new Map<string, OutputExpression>();
  collect(value, found);
  return [...found.values()];
}

/** The expression of `parts` as `splitText` gives them; undefined for a variable and for what is no kind. `${secret.x}` reads `value`. */
export function outputExpression(parts: readonly string[], text: string): OutputExpression | undefined {
  const [kind, name = '', output] = parts;
  if (!isKind(kind)) return undefined;
  if (output !== undefined) return { kind, name, output, text };
  return kind === 'secret' ? { kind, name, output: 'value', text } : undefined;
}

function isKind(text: string | undefined): text is Kind {
  return (kinds as readonly (string | undefined)[]).includes(text);
}

function collect(value: Json, found: Map<string, OutputExpression>): void {
  if (typeof value === 'string') {
    if (!value.includes('${')) return;
    for (const segment of splitText(value)) {
      const expression = segment.type === 'expression' ? outputExpression(segment.parts, segment.text) : undefined;
      if (expression) found.set(expression.text, expression);
    }
  } else if (isJsonObject(value)) {
    for (const member of Object.values(value)) collect(member, found);
  } else if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) collect(item, found);
  }
}

function interpolateObject(value: JsonObject, valueOf: (expression: OutputExpression) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, interpolateValue(member, valueOf)]));
}

function interpolateValue(value: Json, valueOf: (expression: OutputExpression) => Json): Json {
  if (typeof value === 'string') return interpolateText(value, valueOf);
  if (isJsonObject(value)) return interpolateObject(value, valueOf);
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => interpolateValue(item, valueOf));
  return value;
}

function interpolateText(text: string, valueOf: (expression: OutputExpression) => Json): Json {
  if (!text.includes('${')) return text;
  const values = splitText(text).map((segment) => {
    if (segment.type === 'literal') return segment.text;
    const expression = segment.type === 'expression' ? outputExpression(segment.parts, segment.text) : undefined;
    if (!expression) throw sluiceError('malformed_interpolation', { text: segment.text });
    return valueOf(expression);
  });
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values.map(asText).join('');
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
