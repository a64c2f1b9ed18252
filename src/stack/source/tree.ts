import { isAlias, isMap, isPair, isScalar, isSeq, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml';
import { problem } from '../../errors/sluice-error.ts';
import type { ProblemList } from '../problems.ts';
import { deepest, mostValues } from './limits.ts';
import type { MapEntry, SourceNode, SourceText } from './node.ts';

/** Names that reach into the prototype of JavaScript objects. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

interface Conversion {
  readonly source: SourceText;
  readonly problems: ProblemList;
  readonly anchors: Map<string, SourceNode>;
}

/** Ends a conversion; what is wrong has been reported. */
class Refused extends Error {}

/** The tree of a YAML document with its aliases followed. Undefined when something in it is refused. Aliased nodes are shared, not copied. */
export function toSourceNode(root: ParsedNode, source: SourceText, problems: ProblemList): SourceNode | undefined {
  try {
    return convert(root, { source, problems, anchors: new Map() });
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function convert(node: unknown, conversion: Conversion): SourceNode {
  if (isAlias(node)) return aliased(node.source, node.range?.[0] ?? 0, conversion);
  const converted = convertPlain(node, conversion);
  if (converted.size > mostValues) refuse('yaml_too_big', { limit: mostValues }, converted.start, conversion);
  if (converted.depth > deepest) refuse('yaml_too_deep', { limit: deepest }, converted.start, conversion);
  const anchor = isScalar(node) || isSeq(node) || isMap(node) ? node.anchor : undefined;
  if (anchor) conversion.anchors.set(anchor, converted);
  return converted;
}

/** An anchor counts once its node is complete, so an alias inside its own anchor finds nothing. */
function aliased(name: string, at: number, conversion: Conversion): SourceNode {
  return conversion.anchors.get(name) ?? refuse('yaml_alias_unknown', { alias: name }, at, conversion);
}

function convertPlain(node: unknown, conversion: Conversion): SourceNode {
  const { source } = conversion;
  if (isMap(node)) return convertMap(node, conversion);
  if (isSeq(node)) return convertList(node, conversion);
  if (!isScalar(node)) return { type: 'scalar', source, start: 0, end: 0, size: 1, depth: 0, value: null, written: '' };
  const [start, end] = node.range ?? [0, 0];
  const { value } = node;
  if (typeof value === 'number' && !(Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))) {
    refuse('yaml_unsupported', { what: 'A number that is infinite, no number, or too large to be exact' }, start, conversion);
  }
  if (value !== null && typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    refuse('yaml_unsupported', { what: 'A value of this type' }, start, conversion);
  }
  return { type: 'scalar', source, start, end, size: 1, depth: 0, value, written: node.source ?? source.text.slice(start, end) };
}

function convertList(node: YAMLSeq, conversion: Conversion): SourceNode {
  const [start, end] = node.range ?? [0, 0];
  const items: SourceNode[] = [];
  let size = 1;
  let depth = 0;
  for (const item of node.items) {
    // `[a: 1]` is a list with a map of one entry, which the library gives as a bare pair.
    if (isPair(item)) refuse('yaml_unsupported', { what: 'A pair without braces inside a list' }, start, conversion);
    const child = convert(item, conversion);
    items.push(child);
    size += child.size;
    depth = Math.max(depth, child.depth);
    if (size > mostValues) refuse('yaml_too_big', { limit: mostValues }, child.start, conversion);
  }
  return { type: 'list', source: conversion.source, start, end, size, depth: depth + 1, items };
}

function convertMap(node: YAMLMap, conversion: Conversion): SourceNode {
  const { source, problems } = conversion;
  const [start, end] = node.range ?? [0, 0];
  const entries = new Map<string, MapEntry>();
  let size = 1;
  let depth = 0;
  for (const pair of node.items) {
    const { key, at } = keyOf(pair.key, start, conversion);
    const child: SourceNode =
      pair.value === null
        ? { type: 'scalar', source, start: at, end: at, size: 1, depth: 0, value: null, written: '' }
        : convert(pair.value, conversion);
    size += child.size;
    depth = Math.max(depth, child.depth);
    if (size > mostValues) refuse('yaml_too_big', { limit: mostValues }, child.start, conversion);
    const first = entries.get(key);
    if (first) {
      const { line, column } = source.positionAt(first.keyStart);
      problems.add(() => problem('duplicate_key', { key: shorten(key), first: `${line}:${column}` }, { position: source.positionAt(at) }));
    } else if (forbiddenKeys.has(key)) {
      problems.add(() => problem('forbidden_key', { key }, { position: source.positionAt(at) }));
    } else {
      entries.set(key, { keyStart: at, value: child });
    }
  }
  return { type: 'map', source, start, end, size, depth: depth + 1, entries };
}

function keyOf(key: unknown, start: number, conversion: Conversion): { key: string; at: number } {
  if (isScalar(key)) {
    const at = key.range?.[0] ?? start;
    if (typeof key.value === 'string') return { key: key.value, at };
    if (key.value !== null) return { key: key.source ?? conversion.source.text.slice(at, key.range?.[1]), at };
    return refuse('yaml_unsupported', { what: 'An empty key' }, at, conversion);
  }
  return refuse('yaml_unsupported', { what: 'A key that is not text' }, start, conversion);
}

type Refusal = 'yaml_too_big' | 'yaml_too_deep' | 'yaml_alias_unknown' | 'yaml_unsupported';

function refuse<Code extends Refusal>(
  code: Code,
  parameters: Parameters<typeof problem<Code>>[1],
  at: number,
  { source, problems }: Conversion,
): never {
  problems.add(() => problem(code, parameters, { position: source.positionAt(at) }));
  throw new Refused();
}

export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
