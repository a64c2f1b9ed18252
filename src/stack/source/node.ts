import type { SourcePosition } from '../../errors/sluice-error.ts';

/** A file's text that knows where its lines start. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  /** Line and column, from 1, of an offset in UTF-16 units; an offset beyond the end is the end. */
  positionAt(offset: number): SourcePosition;
}

interface NodeBase {
  readonly source: SourceText;
  /** Where it starts and ends in the text. */
  readonly start: number;
  readonly end: number;
  /** Values in it, itself included, aliases counted as often as they are used. */
  readonly size: number;
  /** Levels of lists and maps in it, itself included. */
  readonly depth: number;
}

export interface ScalarNode extends NodeBase {
  readonly type: 'scalar';
  readonly value: string | number | boolean | null;
  /** As it stands in the file, for a plain scalar: `1.10` where the value is 1.1. */
  readonly written: string;
}

interface ListNode extends NodeBase {
  readonly type: 'list';
  readonly items: readonly SourceNode[];
}

export interface MapNode extends NodeBase {
  readonly type: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  readonly keyStart: number;
  readonly value: SourceNode;
}

/** A value of a stack with its place: what YAML's nodes become once aliases are followed and everything unsafe is refused. */
export type SourceNode = ScalarNode | ListNode | MapNode;

/** What a value is, in words for people. */
export function describeNode(node: SourceNode): string {
  return node.type === 'scalar' ? describeValue(node.value) : `a ${node.type}`;
}

export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a number with decimals';
  if (typeof value === 'boolean') return `the value ${value}`;
  return Array.isArray(value) ? 'a list' : 'a map';
}

export function positionOfNode(node: SourceNode): SourcePosition {
  return node.source.positionAt(node.start);
}

export function createSourceText(file: string, text: string): SourceText {
  let starts: number[] | undefined;
  return {
    file,
    text,
    positionAt(offset) {
      starts ??= lineStarts(text);
      const at = Math.max(0, Math.min(offset, text.length));
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= at) low = middle;
        else high = middle - 1;
      }
      return { file, line: low + 1, column: at - (starts[low] ?? 0) + 1 };
    },
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
