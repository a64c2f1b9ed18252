import { problem } from '../errors/sluice-error.ts';
import { labelPattern } from './fields/names.ts';
import type { ProblemList } from './problems.ts';
import { describeNode, type MapNode, positionOfNode, type SourceNode } from './source/node.ts';
import { shorten } from './source/tree.ts';
import { type Kind, kinds, movedKey } from './stack.ts';
import { nearestName } from './suggest.ts';

/** A block as it stands in its file, with a name that holds for every environment. */
export interface RawBlock {
  readonly kind: Kind;
  readonly name: string;
  readonly node: MapNode;
}

/** The blocks of all files of a stack. What has no usable kind or name is reported and left out. */
export function collectBlocks(files: readonly SourceNode[], problems: ProblemList): readonly RawBlock[] {
  const blocks = new Map<string, RawBlock>();
  for (const file of files) {
    if (file.type !== 'map') {
      problems.add(() => problem('stack_not_a_map', { found: describeNode(file) }, { position: positionOfNode(file) }));
      continue;
    }
    for (const [kind, { keyStart, value }] of file.entries) {
      if (kind === movedKey) continue;
      if (isKind(kind)) collectKind(kind, value, blocks, problems);
      else {
        const position = file.source.positionAt(keyStart);
        problems.add(() => problem('unknown_kind', { kind: shorten(kind), nearest: nearestName(kind, kinds), kinds }, { position }));
      }
    }
  }
  return [...blocks.values()];
}

function collectKind(kind: Kind, value: SourceNode, blocks: Map<string, RawBlock>, problems: ProblemList): void {
  for (const node of value.type === 'list' ? value.items : [value]) {
    if (node.type !== 'map') {
      problems.add(() => problem('block_not_a_map', { kind, found: describeNode(node) }, { position: positionOfNode(node) }));
      continue;
    }
    const name = nameOf(kind, node, problems);
    if (name === undefined) continue;
    const key = `${kind}/${name}`;
    const first = blocks.get(key);
    if (first) {
      const { file, line, column } = positionOfNode(first.node);
      const position = positionOfNode(node.entries.get('name')?.value ?? node);
      problems.add(() => problem('duplicate_block', { kind, name, first: `${file}:${line}:${column}` }, { position }));
    } else blocks.set(key, { kind, name, node });
  }
}

function nameOf(kind: Kind, node: MapNode, problems: ProblemList): string | undefined {
  const name = node.entries.get('name')?.value;
  if (name === undefined) {
    problems.add(() => problem('block_without_name', { kind }, { position: positionOfNode(node) }));
    return undefined;
  }
  const position = positionOfNode(name);
  if (name.type !== 'scalar' || typeof name.value !== 'string') {
    problems.add(() => problem('wrong_type', { field: 'name', expected: 'text', found: describeNode(name) }, { position }));
    return undefined;
  }
  const text = name.value;
  if (labelPattern.test(text)) return text;
  problems.add(() => problem('invalid_name', { kind, name: shorten(text) }, { position }));
  return undefined;
}

function isKind(text: string): text is Kind {
  return (kinds as readonly string[]).includes(text);
}
