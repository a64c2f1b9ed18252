import type { z } from 'zod';
import { problem } from '../../errors/sluice-error.ts';
import { fieldNamesAt, schemasAt } from '../kinds/field-schema.ts';
import { kindSpecs } from '../kinds/index.ts';
import type { ReadFields } from '../fields-of-node.ts';
import { splitText } from '../expression.ts';
import type { ProblemList } from '../problems.ts';
import { describeValue, type MapNode, positionOfNode } from '../source/node.ts';
import { placeAt } from '../source/place.ts';
import { shorten } from '../source/tree.ts';
import type { Kind } from '../stack.ts';
import { nearestName } from '../suggest.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

export interface CheckedBlock {
  readonly kind: Kind;
  readonly name: string;
  readonly node: MapNode;
  readonly read: Pick<ReadFields, 'fields' | 'broken'>;
}

/** What a value of a type is called, where a schema says nothing better. */
const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of fields',
  record: 'a map',
};

/** Words every issue as what was expected, so that "must be ..." can stand before it. Given to zod with each parse. */
export function expectedOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return typeNames[String(issue.expected)] ?? `a value of the type ${String(issue.expected)}`;
  if (issue.code === 'invalid_value') {
    const values = (issue.values as readonly unknown[]).map(String);
    return values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
  }
  return undefined;
}

/** Reports an issue of zod in the words of the language, at the place it is about. */
export function reportIssue(issue: Issue, block: CheckedBlock, problems: ProblemList, prefix: Path = []): void {
  const path = [...prefix, ...issue.path];
  if (isBroken(block, path)) return;
  if (issue.code === 'unrecognized_keys') return reportUnknownFields(issue.keys, path, block, problems);
  if (issue.code === 'invalid_union') {
    const branch = likeliestBranch(issue.errors);
    if (branch) {
      for (const inner of branch) reportIssue(inner, block, problems, path);
      return;
    }
  }
  const expected = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const place = placeAt(block.node, path);
  const value = valueAt(block.read.fields, path);
  if (value === undefined && path.length > 0) return reportMissing(path, expected, block, problems);
  const field = fieldName(path);
  const position =
    issue.code === 'invalid_key' && place.keyStart !== undefined
      ? block.node.source.positionAt(place.keyStart)
      : positionOfNode(place.node);
  const expression = typeof value === 'string' ? splitText(value).find(({ type }) => type === 'expression') : undefined;
  if (expression) return problems.add(() => problem('output_not_known_yet', { field, text: expression.text }, { position }));
  if (issue.code === 'invalid_type' || (issue.code === 'invalid_union' && value === null)) {
    return problems.add(() => problem('wrong_type', { field, expected, found: describeValue(value) }, { position }));
  }
  const options = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const nearest = typeof value === 'string' ? nearestName(value, options) : undefined;
  return problems.add(() => problem('invalid_value', { field, expected, nearest }, { position }));
}

function reportUnknownFields(keys: readonly string[], path: Path, block: CheckedBlock, problems: ProblemList): void {
  const place = placeAt(block.node, path);
  const entries = place.node.type === 'map' ? place.node.entries : undefined;
  for (const key of keys) {
    problems.add(() => {
      const fields = fieldNamesAt(block.kind, path);
      const { source, start } = place.node;
      const position = source.positionAt(entries?.get(key)?.keyStart ?? start);
      const reason = path.length === 0 ? kindSpecs[block.kind].refused?.[key] : undefined;
      if (reason !== undefined) return problem('refused_field', { field: key, owner: ownerName(path, block), reason }, { position });
      return problem(
        'unknown_field',
        { field: shorten(key), owner: ownerName(path, block), nearest: nearestName(key, fields), fields },
        { position },
      );
    });
  }
}

function reportMissing(path: Path, expected: string, block: CheckedBlock, problems: ProblemList): void {
  const parent = path.slice(0, -1);
  const node = placeAt(block.node, parent).node;
  const [schema] = schemasAt(block.kind, path);
  const description = schema?.description ?? expected;
  problems.add(() =>
    problem(
      'missing_field',
      { field: String(path.at(-1)), owner: ownerName(parent, block), description },
      { position: positionOfNode(node) },
    ),
  );
}

/** Of several alternatives the one the writer most likely meant: the fewest fields that are unknown or absent. None for another type. */
function likeliestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  let likeliest: readonly Issue[] | undefined;
  let least = Number.POSITIVE_INFINITY;
  let ties = 0;
  for (const issues of branches) {
    const cost = issues.reduce((sum, issue) => sum + costOf(issue), 0);
    if (cost < least) {
      least = cost;
      likeliest = issues;
      ties = 1;
    } else if (cost === least) ties += 1;
  }
  // When several alternatives fit equally badly, naming one of them would be a guess.
  return ties === 1 ? likeliest : undefined;
}

function costOf(issue: Issue): number {
  if (issue.code === 'unrecognized_keys') return issue.keys.length * 10;
  if (issue.path.length === 0) return issue.code === 'invalid_type' || issue.code === 'invalid_value' ? Number.POSITIVE_INFINITY : 1;
  // A field that is missing is no likelier to be meant because it could only have had certain values.
  return issue.code === 'invalid_type' || issue.code === 'invalid_value' ? 2 : 1;
}

function isBroken({ read }: CheckedBlock, path: Path): boolean {
  return read.broken.size > 0 && read.broken.has(path.join('.'));
}

function valueAt(fields: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined),
    fields,
  );
}

function ownerName(path: Path, { kind, name }: CheckedBlock): string {
  return path.length === 0 ? `The ${kind} '${name}'` : `'${fieldName(path)}' of the ${kind} '${name}'`;
}

function fieldName(path: Path): string {
  return path.length === 0 ? 'the block' : shorten(path.map(String).join('.'));
}
