import type { Json, JsonObject } from '../digest/json.ts';
import { problem, type SourcePosition } from '../errors/sluice-error.ts';
import { escapeText, type Segment, splitText } from './expression.ts';
import { type OutputExpression, outputExpression } from './interpolate.ts';
import type { ProblemList } from './problems.ts';
import { type MapNode, positionOfNode, type ScalarNode, type SourceNode } from './source/node.ts';
import { shorten } from './source/tree.ts';
import { kinds } from './stack.ts';
import { nearestName } from './suggest.ts';

/** Variables by name; one whose value is missing, which has been reported, is undefined. */
export type Variables = ReadonlyMap<string, Json | undefined>;

export interface ReadFields {
  readonly fields: JsonObject;
  /** The interpolations that stay, and where each of them stands. */
  readonly expressions: readonly PlacedExpression[];
  /** Dotted paths of texts that are already reported as wrong, so that nothing else is said about them. */
  readonly broken: ReadonlySet<string>;
}

export interface PlacedExpression {
  readonly path: string;
  readonly expression: OutputExpression;
  readonly position: SourcePosition;
}

/** The fields of a block with variables put in. `verbatim` names the fields whose numbers and booleans stay as they were written. */
export function readFields(node: MapNode, variables: Variables, verbatim: readonly string[], report: ProblemList['add']): ReadFields {
  const expressions: PlacedExpression[] = [];
  const broken = new Set<string>();

  const read = (value: SourceNode, path: string, asWritten: boolean): Json => {
    if (value.type === 'list') return value.items.map((item, index) => read(item, `${path}.${index}`, asWritten));
    if (value.type === 'map') {
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, readField(entry.value, `${path}.${key}`, asWritten)]));
    }
    if (typeof value.value === 'string') return readText(value, value.value, path);
    return asWritten && value.value !== null ? value.written : value.value;
  };

  const readField = (value: SourceNode, path: string, asWritten: boolean): Json =>
    read(value, path, asWritten || verbatim.some((pattern) => matches(pattern, path)));

  const readText = (scalar: ScalarNode, text: string, path: string): Json => {
    if (!text.includes('${')) return text;
    let from = scalar.start;
    const segments = splitText(text);
    const values = segments.map((segment, index) => {
      if (segment.type === 'literal') return escapeText(segment.text);
      // Escapes and folded lines can make the text differ from what is written; then the start of the scalar is near enough.
      const written = scalar.source.text.indexOf(segment.text, from);
      const exact = written !== -1 && written < scalar.end;
      if (exact) from = written + segment.text.length;
      const position = exact ? scalar.source.positionAt(written) : positionOfNode(scalar);
      const value = readSegment(segment, { path, position, alone: segments.length === 1 });
      if (value === undefined) broken.add(path);
      if (typeof value === 'string' && value.endsWith('$') && segments[index + 1]?.type === 'expression') {
        broken.add(path);
        report(() => problem('malformed_interpolation', { text: `$${segments[index + 1]?.text ?? ''}` }, { position }));
      }
      return value ?? segment.text;
    });
    const [only] = values;
    return values.length === 1 && only !== undefined
      ? only
      : values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('');
  };

  const readSegment = (
    segment: Exclude<Segment, { type: 'literal' }>,
    { path, position, alone }: { path: string; position: SourcePosition; alone: boolean },
  ): Json | undefined => {
    const [kind = '', name = ''] = segment.type === 'expression' ? segment.parts : [];
    if (segment.type === 'expression' && kind === 'var' && segment.parts.length === 2) {
      const value = variables.get(name);
      if (!variables.has(name)) {
        report(() => problem('unknown_variable', { name, nearest: nearestName(name, variables.keys()) }, { position }));
      } else if (typeof value === 'object' && !alone) {
        report(() => problem('list_in_text', { name }, { position }));
        return undefined;
      }
      return escapeJson(value);
    }
    const expression = segment.type === 'expression' ? outputExpression(segment.parts, segment.text) : undefined;
    if (expression) {
      expressions.push({ path, expression, position });
      return segment.text;
    }
    const known = kind === 'var' || (kinds as readonly string[]).includes(kind);
    if (segment.type === 'malformed' || known) {
      report(() => problem('malformed_interpolation', { text: shorten(segment.text) }, { position }));
    } else {
      report(() => problem('unknown_interpolation', { kind, nearest: nearestName(kind, ['var', ...kinds]) }, { position }));
    }
    return undefined;
  };

  const fields = Object.fromEntries([...node.entries].map(([key, entry]) => [key, readField(entry.value, key, false)]));
  return { fields, expressions, broken };
}

function matches(pattern: string, path: string): boolean {
  const [wanted, keys] = [pattern.split('.'), path.split('.')];
  return wanted.length === keys.length && wanted.every((key, index) => key === '*' || key === keys[index]);
}

/** A value that reaches a field through a variable is never read as an interpolation. */
function escapeJson(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return escapeText(value);
  return Array.isArray(value) ? (value as readonly Json[]).map((item) => escapeJson(item) ?? null) : value;
}
