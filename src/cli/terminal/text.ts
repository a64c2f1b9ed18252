import { createRequire } from 'node:module';
import type StringWidth from 'string-width';

const require = createRequire(import.meta.url);
let measured: typeof StringWidth | undefined;
let segmenter: Intl.Segmenter | undefined;

/** Loaded for the first text that is not plain: its tables take a tenth of a command's start. */
function stringWidth(text: string): number {
  measured ??= (require('string-width') as { readonly default: typeof StringWidth }).default;
  return measured(text);
}

/** Columns a text takes on a terminal; colour codes take none, wide characters two. */
export function displayWidth(text: string): number {
  return isPlain(text) ? text.length : stringWidth(text);
}

/** At most `width` columns, ending in `…` when something was cut. For text without colour codes. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 1) return width === 1 ? '…' : '';
  if (isPlain(text)) return `${text.slice(0, width - 1)}…`;
  let kept = '';
  let used = 0;
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) {
    const columns = stringWidth(segment);
    if (used + columns > width - 1) break;
    kept += segment;
    used += columns;
  }
  return `${kept}…`;
}

/** Lines of at most `width` columns, broken at spaces; a single word that is longer is cut. For text without colour codes. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((each) => truncate(each, width));
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/**
 * Text that came from outside, made safe to show on one line: control characters (terminal escapes above all) and those that reorder
 * text are written as `\n`, `\u001b`.
 */
export function escapeControls(text: string): string {
  return isPlain(text) ? text : text.replaceAll(unsafe, escapeOne);
}

/** As `escapeControls`, but line breaks and tabs stay: for text of several lines. */
export function escapeLines(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.split('\t').map(escapeControls).join('\t'))
    .join('\n');
}

// Control and format characters, the zero-width joiner of emoji aside, and the separators that break lines.
const unsafe = /(?!\u200d)[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOne(character: string): string {
  return short[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
