import { diffWordsWithSpace, structuredPatch, type StructuredPatchHunk } from 'diff';

/** The algorithm is Myers' O(ND); beyond so many edits two texts count as wholly different. */
const mostEdits = 1_500;
const contextLines = 2;

export interface LineDifference {
  readonly added: number;
  readonly removed: number;
  /** Lines with `+`, `-` or a space before them, and `@@` between places. Bounded. */
  readonly diff: string;
  /** Lines of the diff that are left out. */
  readonly omitted: number;
}

/** What changed between two texts, line by line. `mostLines` bounds the diff, not the counts. */
export function lineDifference(before: string, after: string, mostLines: number): LineDifference {
  const patch = structuredPatch('', '', before, after, '', '', { context: contextLines, maxEditLength: mostEdits });
  const lines = patch === undefined ? wholly(before, after) : patch.hunks.flatMap(hunkLines);
  const count = (sign: string): number => lines.filter((line) => line.startsWith(sign)).length;
  return {
    added: count('+'),
    removed: count('-'),
    diff: lines.slice(0, mostLines).join('\n'),
    omitted: Math.max(0, lines.length - mostLines),
  };
}

function hunkLines({ oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk): string[] {
  return [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`].concat(lines);
}

export interface WordRun {
  readonly change: 'same' | 'added' | 'removed';
  readonly text: string;
}

/** What changed between two texts, word by word; long runs of unchanged text are cut to what stands next to a change. */
export function wordDifference(before: string, after: string): readonly WordRun[] {
  const parts = diffWordsWithSpace(before, after, { maxEditLength: mostEdits });
  const runs: WordRun[] = parts
    ? parts.map(({ added, removed, value }) => ({ change: added ? 'added' : removed ? 'removed' : 'same', text: value }))
    : [
        { change: 'removed', text: before },
        { change: 'added', text: after },
      ];
  return runs.map((run, index) =>
    run.change === 'same' ? { change: 'same', text: shortened(run.text, index > 0, index < runs.length - 1) } : run,
  );
}

export function wordsIn(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

const keptCharacters = 80;

/** Keeps the ends that stand next to a change, whole words. */
function shortened(text: string, followsChange: boolean, precedesChange: boolean): string {
  if (text.length <= keptCharacters * 2) return text;
  const head = followsChange ? text.slice(0, keptCharacters).replace(/\S*$/, '') : '';
  const tail = precedesChange ? text.slice(-keptCharacters).replace(/^\S*/, '') : '';
  return `${head}…${tail}`;
}

function wholly(before: string, after: string): string[] {
  return [...linesOf(before).map((line) => `-${line}`), ...linesOf(after).map((line) => `+${line}`)];
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}
