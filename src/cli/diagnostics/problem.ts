import { readFileSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Colors } from 'picocolors/types.js';
import type { Problem, SourcePosition } from '../../errors/sluice-error.ts';
import { displayWidth, escapeControls, escapeLines, truncate } from '../terminal/text.ts';

export interface ProblemLook {
  readonly colors: Colors;
  readonly width?: number | undefined;
  /** Folders the file of a position may be relative to; the first is also what shown paths are relative to. */
  readonly folders: readonly string[];
}

const largestSource = 2 * 1024 * 1024;

/** `file:line:column  code  message`, the line with a caret where the file can be read, and what to do about it. */
export function renderProblem(problem: Problem, look: ProblemLook): string {
  const { colors } = look;
  const place = problem.position ? `${placeOf(problem.position, look)}  ` : problem.address ? `${escapeControls(problem.address)}  ` : '';
  const paint = { error: colors.red, warning: colors.yellow, note: colors.cyan }[problem.severity];
  const label = problem.severity === 'error' ? problem.code : `${problem.severity}: ${problem.code}`;
  const excerpt = problem.position ? excerptOf(problem.position, look, paint) : '';
  const help = problem.help === '' ? '' : `  ${colors.cyan('help:')} ${escapeLines(problem.help).replaceAll('\n', '\n        ')}\n`;
  return `${colors.bold(place)}${paint(label)}  ${escapeLines(problem.message).replaceAll('\n', '\n  ')}\n${excerpt}${help}`;
}

/** All of them, by file and line, errors and warnings mixed as they stand in the file. */
export function renderProblems(problems: readonly Problem[], look: ProblemLook): string {
  return problems.map((problem) => renderProblem(problem, look)).join('');
}

function placeOf({ file, line, column }: SourcePosition, look: ProblemLook): string {
  const path = pathOf(file, look);
  const way = path === undefined ? file : relative(look.folders[0] ?? '.', path);
  return `${escapeControls(way.startsWith('..') ? file : way)}:${line}:${column}`;
}

function pathOf(file: string, look: ProblemLook): string | undefined {
  return look.folders
    .toReversed()
    .map((folder) => resolve(folder, file))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

function excerptOf(position: SourcePosition, look: ProblemLook, paint: (text: string) => string): string {
  const path = pathOf(position.file, look);
  const text = path === undefined ? undefined : sourceLine(path, position.line);
  if (text === undefined || text.trim() === '') return '';
  const number = String(position.line).padStart(5);
  const before = escapeControls(text.slice(0, position.column - 1).replaceAll('\t', ' '));
  const whole = escapeControls(text.replaceAll('\t', ' '));
  const room = look.width === undefined ? 200 : Math.max(20, look.width - 8);
  const caret = displayWidth(before) < room ? `      ${look.colors.dim('│')} ${' '.repeat(displayWidth(before))}${paint('^')}\n` : '';
  return `${look.colors.dim(`${number} │`)} ${truncate(whole, room)}\n${caret}`;
}

function sourceLine(path: string, line: number): string | undefined {
  try {
    if (statSync(path).size > largestSource) return undefined;
    return readFileSync(path, 'utf8').split(/\r?\n/)[line - 1];
  } catch {
    return undefined;
  }
}
